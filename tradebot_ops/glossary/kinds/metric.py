"""Metrics that the stack says something emits: queue_length."""

from tradebot_ops.context import Ops
from tradebot_ops.facts.metrics import config_files
from tradebot_ops.glossary.kind import Kind
from tradebot_ops.model import Section, Table


def _names(ops: Ops) -> list[str]:
    return list(dict.fromkeys(metric.name for metric in config_files.declared(ops)))


def _explained(ops: Ops, name: str) -> Section:
    found = [metric for metric in config_files.declared(ops) if metric.name == name]
    rows = tuple(
        (metric.source, metric.type, ", ".join(sorted(metric.labels)), "after an event" if metric.late else "always")
        for metric in found
    )
    lines = (f"Metric {name}. Its value: tradebot query {name}",)
    return Section(lines=lines, tables=(Table(("emitted by", "type", "labels", "there"), rows),))


KIND = Kind("metric", _names, _explained)
