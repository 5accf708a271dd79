"""The registry declares the brief's metrics by exact name; children exist before the first event."""

import ast
import re
from collections.abc import Iterator

import pytest
from prometheus_client import generate_latest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from services.common.metrics import METRICS, create_metrics, declared
from tests.paths import ROOT

API = {
    "http_requests_total", "http_request_duration_seconds", "http_requests_in_progress",
    "job_submissions_total", "redis_operations_total",
}  # fmt: skip
WORKER = {
    "worker_active", "worker_jobs_processed_total", "worker_job_duration_seconds", "worker_errors_total",
    "worker_heartbeat_timestamp", "queue_length", "job_retries_total", "job_dlq_moves_total",
    "worker_memory_bytes", "worker_cpu_percent",
}  # fmt: skip


def test_the_briefs_metrics_are_declared_by_name_and_owner() -> None:
    assert {metric.name for metric in METRICS if "api" in metric.owners} >= API
    assert {metric.name for metric in METRICS if "worker" in metric.owners} >= WORKER
    assert len({metric.name for metric in METRICS}) == len(METRICS)


def test_counters_are_named_like_counters_and_gauges_are_not() -> None:
    for metric in METRICS:
        assert metric.name.endswith("_total") is (metric.kind == "counter"), metric.name


@pytest.mark.parametrize(
    ("name", "thresholds"),
    [("http_request_duration_seconds", {0.5, 1.0}), ("worker_job_duration_seconds", {0.1, 1800.0, 3600.0})],
)
def test_a_bucket_edge_stands_on_every_threshold(name: str, thresholds: set[float]) -> None:
    assert thresholds <= set(declared(name).buckets)


def test_children_of_known_labels_exist_from_the_start() -> None:
    text = generate_latest(create_metrics("worker", ["backtest"]).registry).decode()
    assert 'worker_jobs_processed_total{job_type="backtest",status="failed"} 0.0' in text
    assert 'worker_job_duration_seconds_bucket{job_type="backtest",le="3600.0"} 0.0' in text
    assert 'job_dlq_moves_total{job_type="backtest"} 0.0' in text
    assert "db_connection_errors_total 0.0" in text


@pytest.mark.parametrize("owner", ["api", "worker"])
def test_what_is_exported_is_what_is_declared(owner: str) -> None:
    metrics = create_metrics(owner, ["backtest"])  # type: ignore[arg-type]
    families = text_string_to_metric_families(generate_latest(metrics.registry).decode())
    found = {family.name + "_total" * (family.type == "counter") for family in families}
    computed = {metric.name for metric in METRICS if metric.computed}
    mine = {metric.name for metric in METRICS if owner in metric.owners} - computed
    assert {name for name in found if not name.startswith("process_")} == mine


def test_an_undeclared_name_is_an_error() -> None:
    with pytest.raises(KeyError):
        create_metrics("api").counter("worker_errors_total")
    with pytest.raises(KeyError):
        declared("nonsense_total")


def test_an_error_met_in_gathering_counts_in_the_same_scrape() -> None:
    """RedisDown and PostgresDown ask whether clients have trouble: fifteen seconds later would be late."""
    metrics = create_metrics("api")

    class Refused(Collector):
        def collect(self) -> Iterator[Metric]:
            metrics.counter("db_connection_errors_total").inc()
            return iter(())

    metrics.add(Refused())
    assert "db_connection_errors_total 1.0" in generate_latest(metrics.registry).decode()


def test_what_is_computed_at_a_scrape_is_what_the_collectors_give() -> None:
    """One that is declared so and is in no collector would never be exported; one that is not would be twice."""
    collectors = [path for path in (ROOT / "services").rglob("*.py") if re.search("collector|queue_metrics", str(path))]
    words = {
        node.value
        for path in collectors
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    computed = {metric.name for metric in METRICS if metric.computed}
    assert computed
    assert computed == {metric.name for metric in METRICS} & words
    assert all(metric.computed for metric in METRICS if metric.late), "all others are there from the start"
