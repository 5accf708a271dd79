"""Samples of a service at ``/metrics``, read with Prometheus' own parser."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tradebot_ops.monitoring.contract import Metric


@dataclass(frozen=True)
class Family:
    """One metric: its type, its label names (without ``le``), and its values by series name and labels."""

    type: str
    labels: frozenset[str]
    values: Mapping[tuple[str, tuple[tuple[str, str], ...]], float]


def parse(text: str) -> dict[str, Family]:
    """Families by name, a counter's with its ``_total``. Raises ``ValueError`` for what is no such text."""
    from prometheus_client.parser import text_string_to_metric_families

    found = list(text_string_to_metric_families(text))
    return {
        f"{raw.name}_total" if raw.type == "counter" else raw.name: Family(
            raw.type,
            frozenset(label for sample in raw.samples for label in sample.labels) - {"le"},
            {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in raw.samples},
        )
        for raw in found
    }


def mismatch(metric: "Metric", families: Mapping[str, Family]) -> str:
    """How what is shown differs from what is declared; empty where it does not."""
    family = families.get(metric.name)
    if family is None:
        return f"{metric.name} is missing"
    if family.type != metric.type:
        return f"{metric.name} is a {family.type}, not a {metric.type}"
    lacking = sorted(metric.labels - family.labels) if family.values else []
    return f"{metric.name} has no label {', '.join(lacking)}" if lacking else ""
