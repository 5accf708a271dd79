"""The worker's metrics: what is counted when, and what a scrape shows."""

import math
import os
import urllib.request
from pathlib import Path

import pytest

from services.common.jobtypes import registry
from services.common.ledger import State
from services.worker.metrics import ERROR_TYPES, LIMIT_FILES, WorkerMetrics, container_limit


def scrape(port: int) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines) if name[:1] != "#"}


def test_scrape_shows_what_happened() -> None:
    metrics = WorkerMetrics(job_memory_limit=2**30)
    port = metrics.serve("127.0.0.1:0")
    before = scrape(port)
    # A counter that does not exist before its first jump would hide that jump.
    assert before['worker_jobs_processed_total{job_type="backtest",status="failed"}'] == 0
    assert before["worker_active"] == 1
    # A type that the API does not know, yet or any more, has its timeout from here; others have none.
    assert before['job_timeout_seconds{job_type="backtest"}'] == registry().types["backtest"].timeout_s
    assert 'job_timeout_seconds{job_type="other"}' not in before

    metrics.job_started("backtest")
    assert scrape(port)["worker_busy"] == 1
    metrics.job_ended("backtest")
    for state in (State.SUCCEEDED, State.DEAD, State.RETRYING, State.CANCELLED, State.QUEUED):
        metrics.job_recorded("backtest", state, 0.2)
    metrics.error("ZeroDivisionError")
    metrics.beat(1_700_000_000.0)
    assert metrics.resources([os.getpid()]) > 10_000_000
    metrics.active(takes_jobs=False)

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
    assert 0 < after["worker_memory_limit_bytes"] - after["worker_memory_bytes"] <= 2**30
    assert (after["worker_active"], after["worker_busy"]) == (0, 0)


def test_a_job_that_died_with_its_worker_is_counted_without_a_duration() -> None:
    metrics = WorkerMetrics()
    port = metrics.serve("127.0.0.1:0")
    metrics.job_abandoned("backtest", State.DEAD)
    metrics.job_abandoned("sweep", State.CANCELLED)
    after = scrape(port)
    assert after['worker_jobs_processed_total{job_type="backtest",status="failed"}'] == 1
    assert after['job_dlq_moves_total{job_type="backtest"}'] == 1
    assert after['worker_errors_total{error_type="WorkerLost"}'] == 1
    assert after['worker_jobs_processed_total{job_type="sweep",status="cancelled"}'] == 1
    assert after['job_dlq_moves_total{job_type="sweep"}'] == 0
    assert after['worker_job_duration_seconds_count{job_type="backtest"}'] == 0


def test_any_number_of_names_that_nobody_declared_becomes_other() -> None:
    metrics = WorkerMetrics()
    port = metrics.serve("127.0.0.1:0")
    at_start = scrape(port)
    for number in range(ERROR_TYPES - 1):
        metrics.error(f"Seen{number}")
    seen = scrape(port)
    assert len(seen) == len(at_start) + ERROR_TYPES - 1

    # A job type of another version of the services, and a job that makes up classes of errors.
    for number in range(1_000):
        name = f"strange{number}"
        metrics.job_started(name)
        metrics.job_ended(name)
        for state in (State.SUCCEEDED, State.DEAD, State.RETRYING):
            metrics.job_recorded(name, state, 0.2)
        metrics.error(name)
    after = scrape(port)

    made_up = [series for series in after if "strange" in series]
    # Of the errors, the first one still had room.
    assert made_up == ['worker_errors_total{error_type="strange0"}']
    assert len(after) == len(seen) + 1
    assert after['worker_errors_total{error_type="other"}'] == 999
    assert after['worker_jobs_processed_total{job_type="other",status="failed"}'] == 2_000
    assert after['worker_job_duration_seconds_count{job_type="other"}'] == 3_000
    assert set(registry().types) < {series.partition('job_type="')[2].partition('"')[0] for series in after}


def test_an_error_type_that_is_no_name_of_a_class_is_other() -> None:
    metrics = WorkerMetrics()
    port = metrics.serve("127.0.0.1:0")
    before = scrape(port)
    for name in ("", "two words", 'quote"', "line\nbreak", "\ud800", "x" * 101):
        metrics.error(name)
    after = scrape(port)
    assert after.keys() == before.keys()
    assert after['worker_errors_total{error_type="other"}'] == 6


@pytest.mark.parametrize(
    ("version_2", "version_1", "limit"),
    [
        ("2147483648\n", None, 2147483648),
        ("max\n", None, math.inf),
        (None, "536870912\n", 536870912),
        (None, "9223372036854771712\n", 9223372036854771712),
        (None, None, math.inf),
    ],
)
def test_container_limit(version_2: str | None, version_1: str | None, limit: float, tmp_path: Path) -> None:
    files = (tmp_path / "memory.max", tmp_path / "memory.limit_in_bytes")
    for file, text in zip(files, (version_2, version_1), strict=True):
        if text is not None:
            file.write_text(text)
    assert container_limit(files) == limit
    assert [file.name for file in LIMIT_FILES] == [file.name for file in files], "hosts have the one or the other"
