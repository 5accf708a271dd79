"""Topics of `diag`: queue."""

from tradebot_ops.context import Ops
from tradebot_ops.diagnostics.catalogue import catalogue
from tradebot_ops.glossary.kind import Kind
from tradebot_ops.model import Section


def _names(ops: Ops) -> list[str]:
    del ops
    return [topic.name for topic in catalogue()]


def _explained(ops: Ops, name: str) -> Section:
    del ops
    (topic,) = (each for each in catalogue() if each.name == name)
    asked = sorted({fact.name for look in topic.looks for fact in look.asks})
    return Section(lines=(f"Topic of `tradebot diag`: {topic.title}. It asks {', '.join(asked)}.",))


KIND = Kind("topic", _names, _explained)
