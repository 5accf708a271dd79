"""What a service shows at ``/metrics``, read with Prometheus' own parser."""

from collections.abc import Mapping
from dataclasses import dataclass


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
