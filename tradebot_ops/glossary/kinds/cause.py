"""Causes that `diag` knows: redis-full."""

from tradebot_ops.context import Ops
from tradebot_ops.diagnostics.catalogue import known_causes
from tradebot_ops.glossary.kind import Kind
from tradebot_ops.model import Section


def _names(ops: Ops) -> list[str]:
    del ops
    return [cause.name for cause in known_causes()]


def _explained(ops: Ops, name: str) -> Section:
    del ops
    (cause,) = (each for each in known_causes() if each.name == name)
    explains = f"It explains trouble with: {', '.join(cause.explains)}."
    return Section(lines=(f"Cause {name}: {cause.title}", explains, f"Next: {cause.mend}"))


KIND = Kind("cause", _names, _explained)
