"""Find a name among all kinds, and explain it."""

from tradebot_ops.context import Ops
from tradebot_ops.discovery import discover
from tradebot_ops.errors import OpsError
from tradebot_ops.glossary import kinds
from tradebot_ops.glossary.kind import Kind
from tradebot_ops.model import Report, Section
from tradebot_ops.text.suggest import did_you_mean


def explain(ops: Ops, typed: str) -> Report:
    """Explain the name ``typed``, written in any case; where several kinds have it, each.

    Raises ``OpsError`` TB-0224 for a name that nothing has.
    """
    every, warnings = known(ops)
    wanted = " ".join(typed.lower().split()).removeprefix("exit ")
    found = [(kind, name) for kind, names in every for name in names if name.lower() == wanted]
    if not found:
        near = did_you_mean(wanted, [name for _, names in every for name in names])
        kinds_of_names = ", ".join(f"{kind.name}s" for kind, _ in every)
        raise OpsError(
            f"Nothing here is called '{typed}'. {near}".rstrip(),
            code="TB-0224",
            hint=f"Explained are {kinds_of_names}; job types by: tradebot jobs types",
        )
    sections = [kind.explain(ops, name) for kind, name in found]
    data = [
        {"kind": kind.name, "name": name, "text": _text(section)}
        for (kind, name), section in zip(found, sections, strict=True)
    ]
    return Report(data=data, sections=tuple(sections), warnings=warnings)


def known(ops: Ops) -> tuple[list[tuple[Kind, list[str]]], tuple[str, ...]]:
    """Every kind with its names. One that cannot be read, because the stack's own files are wrong, is left out."""
    found, warnings = [], []
    for kind in discover(kinds, "KIND"):
        try:
            found.append((kind, list(kind.names(ops))))
        except OpsError as error:
            warnings.append(f"No {kind.name} is explained: {error.message}")
    return found, tuple(warnings)


def _text(section: Section) -> str:
    rows = (": ".join(row) for table in section.tables for row in table.rows)
    return "\n".join((*section.lines, *rows)).strip()
