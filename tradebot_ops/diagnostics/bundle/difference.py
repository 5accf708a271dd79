"""`diag diff`: what is another between two bundles, or between one and now."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.diagnostics.bundle import archive
from tradebot_ops.diagnostics.bundle.command import collect, documents
from tradebot_ops.model import Report, Section, Table
from tradebot_ops.text.sentences import agreed

MOST = 200
#: Files that are compared, and keys that differ between any two looks.
COMPARED = (
    "about.json",
    "settings.json",
    "configuration/replicas.json",
    "replicas.json",
    "engine.json",
    "alerts/firing.json",
    "errors.json",
)
RESTLESS = {
    "about.json": frozenset({"at"}),
    "replicas.json": frozenset({"memory", "pid", "id"}),
    "alerts/firing.json": frozenset({"value"}),
    "errors.json": frozenset({"id", "last", "first", "lines", "count", "sample", "jobs", "beyond"}),
}

NOTHING = frozenset[str]()


@dataclass(frozen=True)
class Difference:
    """``before`` or ``after`` is None where there was nothing, or is nothing any more."""

    where: str
    before: str | None
    after: str | None


def diff(ops: Ops, before: Path, after: Path | None) -> Report:
    """Compare a bundle with another one, or with this moment. Raises ``OpsError`` TB-0841 for a file that is none."""
    old = documents(archive.read(before))
    new = documents(archive.read(after) if after else {part.name: part.text for part in collect(ops).parts})
    found = differences(old, new)
    rows = tuple((each.where, each.before or "–", each.after or "–") for each in found[:MOST])
    missing = [name for name in COMPARED if (name in old) != (name in new)]
    head = agreed(f"{len(found)} differences between {before} and {after or 'now'}.") if found else "Nothing differs."
    lines = [head, *(f"{name} is in one of them only." for name in missing)]
    if len(found) > MOST:
        lines.append(f"The first {MOST} are shown; --json has all.")
    data = {
        "differences": [{"where": each.where, "before": each.before, "after": each.after} for each in found],
        "missing": missing,
    }
    tables = (Table(("where", "before", "after"), rows),) if rows else ()
    return Report(data=data, sections=(Section(lines=tuple(lines), tables=tables),))


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Leaves that are not the same, of files that both have."""
    both = [name for name in COMPARED if name in before and name in after]
    old, new = (
        {path: text for name in both for path, text in _leaves(side[name], name, RESTLESS.get(name, NOTHING))}
        for side in (before, after)
    )
    return [
        Difference(path, old.get(path), new.get(path))
        for path in sorted(old.keys() | new.keys())
        if old.get(path) != new.get(path)
    ]


def _leaves(value: Any, path: str, restless: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Items of a list go by their name or id, not their place: one more is one difference."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key not in restless:
                yield from _leaves(inner, f"{path} {key}", restless)
    elif isinstance(value, list):
        for inner in value:
            name = _name(inner)
            yield from _leaves(inner, f"{path} {name}", restless)
            if isinstance(inner, Mapping):
                yield f"{path} {name}", "there"
    elif value is not None:
        yield path, str(value)


def _name(item: Any) -> str:
    if not isinstance(item, Mapping):
        return str(item)
    labels = item.get("labels")
    parts = [str(item.get("id") or item.get("name") or "")]
    parts += [f"{key}={value}" for key, value in sorted(labels.items())] if isinstance(labels, Mapping) else []
    return " ".join(parts)
