"""The worker's metrics: what is counted when, and what a scrape shows."""

import os
import urllib.request

from services.common.ledger import State
from services.worker.metrics import WorkerMetrics


def scrape(port: int) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines) if name[:1] != "#"}


def test_scrape_shows_what_happened() -> None:
    metrics = WorkerMetrics()
    port = metrics.serve("127.0.0.1:0")
    before = scrape(port)
    # A counter that does not exist before its first jump would hide that jump.
    assert before['worker_jobs_processed_total{job_type="backtest",status="failed"}'] == 0
    assert before["worker_active"] == 1

    metrics.job_started("backtest")
    assert scrape(port)["worker_busy"] == 1
    metrics.job_ended("backtest")
    for state in (State.SUCCEEDED, State.DEAD, State.RETRYING, State.CANCELLED, State.QUEUED):
        metrics.job_recorded("backtest", state, 0.2)
    metrics.error("ZeroDivisionError")
    metrics.beat(1_700_000_000.0, os.getpid())
    metrics.draining()

    after = scrape(port)
    for status, count in (("succeeded", 1), ("failed", 2), ("cancelled", 1)):
        assert after[f'worker_jobs_processed_total{{job_type="backtest",status="{status}"}}'] == count
    # A job that was handed back did not end.
    assert after['worker_job_duration_seconds_count{job_type="backtest"}'] == 4
    assert after['job_dlq_moves_total{job_type="backtest"}'] == 1
    assert after['job_retries_total{job_type="backtest"}'] == 1
    assert after['worker_errors_total{error_type="ZeroDivisionError"}'] == 1
    assert after["worker_heartbeat_timestamp"] == 1_700_000_000
    assert after["worker_memory_bytes"] > 10_000_000
    assert (after["worker_active"], after["worker_busy"]) == (0, 0)
