"""The values of now of everything that API, workers and exporters measure."""

from collections.abc import Mapping

from tradebot_ops.context import Ops
from tradebot_ops.diagnostics.bundle.collector import Collector, Files

EVERYTHING = '{job=~"api|worker|redis|postgres|prometheus|alertmanager",__name__!~".*_bucket|go_.*"}'


def collect(ops: Ops) -> Files:
    lines = sorted(f"{_labelled(series.labels)} {series.value!r}" for series in ops.prometheus.query(EVERYTHING))
    return {"metrics.prom": "\n".join(lines) + "\n"}


def _labelled(labels: Mapping[str, str]) -> str:
    """``name{label="value"}``"""
    pairs = ",".join(f'{key}="{value}"' for key, value in sorted(labels.items()) if key != "__name__")
    return f"{labels.get('__name__', '')}{{{pairs}}}"


COLLECTOR = Collector("metrics", collect)
