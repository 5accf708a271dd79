"""One frozen result that every command produces and every renderer reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tradebot_ops.errors import ExitCode

Json = Mapping[str, Any] | Sequence[Any] | str | int | float | bool | None


class Level(StrEnum):
    """How much a finding matters. ``SKIP`` always carries its reason; ``ERROR`` means the look itself broke."""

    PASS = "pass"  # noqa: S105 - not a password
    INFO = "info"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """One fact judged: ``id`` is stable, ``hint`` is what to type next.

    ``anchor`` is the file one would edit (``FILE``, ``FILE:LINE`` or ``FILE#text``), ``group`` what it belongs to,
    ``seconds`` how long the look took.
    """

    level: Level
    id: str
    message: str
    hint: str = ""
    observed: str = ""
    expected: str = ""
    evidence: str = ""
    title: str = ""
    group: str = ""
    anchor: str = ""
    severity: str = ""
    seconds: float | None = None


@dataclass(frozen=True)
class Table:
    """Rows for people. Cells are text; the machine-readable form is ``Report.data``."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""


@dataclass(frozen=True)
class Section:
    """A part of a report: a heading, lines of text, then tables. ``markdown``: the lines are its source."""

    title: str = ""
    lines: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    markdown: bool = False


@dataclass(frozen=True, kw_only=True)
class Report:
    """The result of a command: ``data`` for machines, ``sections`` for people, ``findings`` for both.

    Operations leave ``command`` empty: the command line alone knows under which name it was called.
    """

    data: Json = None
    sections: tuple[Section, ...] = ()
    findings: tuple[Finding, ...] = ()
    warnings: tuple[str, ...] = field(default=())
    #: What a failed finding ends the process with.
    failure: int = ExitCode.FAILED
    #: What the process ends with although nothing failed, such as the changes that a script asked for.
    success: int = ExitCode.OK
    #: False where the sections show the findings already, in an order of their own.
    findings_shown: bool = True
    #: Filled in where the report is shown, for the JSON schema and for headings.
    command: str = ""

    @property
    def ok(self) -> bool:
        return not any(finding.level in {Level.FAIL, Level.ERROR} for finding in self.findings)

    @property
    def exit_code(self) -> int:
        return int(self.success if self.ok else self.failure)

    def to_dict(self) -> dict[str, Any]:
        """The JSON envelope of ``--json``; errors of failed findings are repeated under ``errors``."""
        failed = (finding for finding in self.findings if finding.level in {Level.FAIL, Level.ERROR})
        return {
            "schema": f"tradebot/v1/{self.command}",
            "ok": self.ok,
            "data": self.data,
            "warnings": list(self.warnings),
            "errors": [{"code": f.id, "message": f.message, "hint": f.hint} for f in failed],
        }
