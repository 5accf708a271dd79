"""The manifest of a backup: what was in the database at the moment of its snapshot. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Self

from tradebot_ops.audit.chain import Head
from tradebot_ops.shapes import ShapeError, fields, flag, named, text, whole
from tradebot_ops.text.sentences import agreed

#: The newest form of a backup that this release reads, and the one that it writes. In the first all rows were hashed
#: as text.
FORMAT = 2


@dataclass(frozen=True)
class TableFigures:
    """So many rows, and a hash of them all that does not depend on their order."""

    rows: int
    digest: str

    @classmethod
    def of(cls, value: Any) -> Self:
        return cls(**fields(value, {"rows": whole, "digest": text}))


@dataclass(frozen=True)
class DatabaseFigures:
    """A database at one moment: its tables, the last value of each sequence, and a hash of its schema."""

    tables: Mapping[str, TableFigures] = field(default_factory=dict)
    sequences: Mapping[str, int] = field(default_factory=dict)
    schema: str = ""

    @classmethod
    def of(cls, value: Any) -> Self:
        shapes = {"tables": named(TableFigures.of), "sequences": named(whole), "schema": text}
        return cls(**fields(value, shapes))

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables.values())


@dataclass(frozen=True)
class Manifest:
    """The contents of a backup. ``taken_at`` is the moment of the snapshot (ISO 8601), ``roles`` who may log in."""

    project: str
    taken_at: str
    tradebot: str
    engine: str
    server: str
    revision: str
    database: DatabaseFigures
    roles: Mapping[str, bool] = field(default_factory=dict)
    by: str = ""
    #: The end of the audit log at that moment.
    audit: Head = field(default_factory=Head)
    format: int = FORMAT

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.taken_at)

    @property
    def major(self) -> int:
        """The major version of the server that it was taken from."""
        return int(self.server.partition(".")[0])

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        """Raises ``ShapeError``, also for a manifest without one of its keys."""
        texts = dict.fromkeys(("project", "taken_at", "tradebot", "engine", "server", "revision", "by"), text)
        shapes = {**texts, "format": whole, "database": DatabaseFigures.of, "roles": named(flag), "audit": Head.of}
        try:
            made = cls(**fields(content, shapes))
            aware = made.moment.tzinfo is not None and made.major > 0
        except (TypeError, ValueError) as error:
            raise ShapeError(str(error)) from None
        if not aware:
            raise ShapeError("taken_at has no zone")
        return made

    def content(self) -> dict[str, Any]:
        return asdict(self)


def differences(wanted: DatabaseFigures, found: DatabaseFigures, *, same_major: bool = True) -> tuple[str, ...]:
    """Each way in which a restored database is not the one of the manifest, as a sentence.

    A sequence may be ahead: it goes on while a dump is taken. Another major version of the server words the same
    schema differently.
    """
    lines = [f"The table {name} is missing." for name in sorted(wanted.tables.keys() - found.tables.keys())]
    lines += [f"The table {name} was not in the backup." for name in sorted(found.tables.keys() - wanted.tables.keys())]
    for name in sorted(wanted.tables.keys() & found.tables.keys()):
        before, after = wanted.tables[name], found.tables[name]
        if before.rows != after.rows:
            lines.append(agreed(f"The table {name} has {after.rows} rows instead of {before.rows}."))
        elif before.digest != after.digest:
            lines.append(agreed(f"The table {name} has its {after.rows} rows, and not all of them are the same."))
    lines += [
        f"The sequence {name} is at {found.sequences.get(name, 'nothing')}, before {value}."
        for name, value in sorted(wanted.sequences.items())
        if found.sequences.get(name, -1) < value
    ]
    if same_major and wanted.schema != found.schema:
        lines.append("The tables have other columns, constraints or indexes.")
    return tuple(lines)
