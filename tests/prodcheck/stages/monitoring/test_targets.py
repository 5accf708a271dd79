"""Every level of the checks on what Prometheus scrapes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tradebot_ops.clients.prometheus import Target
from tradebot_ops.engines.base import Replica, State
from tradebot_ops.facts.metrics.monitoring import Answer
from tradebot_ops.facts.metrics.prometheus import Databases
from tradebot_ops.model import Level
from tradebot_ops.monitoring.contract import Metric
from tradebot_ops.prodcheck.check import Verdict
from tradebot_ops.prodcheck.stages.monitoring.targets import complete, reached, scraped

GATE = Answer("prometheus", ok=True, detail="ready")
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def target(job: str, health: str = "up", ago: float | None = 5, error: str = "") -> Target:
    seen = None if ago is None else NOW - timedelta(seconds=ago)
    return Target(job, f"{job}:1", f"http://{job}:1", health, error, seen, 0.01, 15.0)


@pytest.mark.parametrize(
    ("targets", "dropped", "level", "message"),
    [
        ((target("api"),), {}, Level.PASS, "All 1 target is scraped."),
        ((), {}, Level.FAIL, "Prometheus has no target at all."),
        ((target("api"), target("redis", "down", error="refused")), {}, Level.FAIL, "Not up: redis (redis:1)."),
        ((target("api", "unknown", None),), {}, Level.FAIL, "Not up: api (api:1)."),
        ((target("api", ago=31),), {}, Level.FAIL, "Not scraped of late: api (api:1)."),
        ((target("api", ago=29),), {}, Level.PASS, "All 1 target is scraped."),
        ((target("api"),), {"worker": 2}, Level.FAIL, "Found and not scraped: 2 of worker."),
    ],
)
def test_scraped(targets: tuple[Target, ...], dropped: dict[str, int], level: Level, message: str) -> None:
    verdict = scraped(targets, dropped, NOW, GATE)
    assert (verdict.level, verdict.message) == (level, message)


def test_the_last_error_of_a_target_is_observed() -> None:
    assert scraped((target("redis", "down", error="refused"),), {}, NOW, GATE).observed == "redis: refused"


METRICS = tuple(Metric("m", "gauge", source=source) for source in ("api", "worker", "grafana"))
WORKER = Replica("worker", 1, "w", "w", State.RUNNING)
ANSWERS = (Answer("grafana", ok=False, detail="no package", absent=True),)


def covered(*jobs: str, replicas: tuple[Replica, ...] = (WORKER,), answers: tuple[Answer, ...] = ANSWERS) -> Verdict:
    return complete(tuple(target(job) for job in jobs), replicas, METRICS, answers, GATE)


def test_complete() -> None:
    verdict = covered("api", "worker")
    assert (verdict.level, verdict.observed) == (Level.PASS, "100 % of 2 sources")


def test_a_source_without_a_target_is_a_warning() -> None:
    assert covered("worker").level is Level.WARN
    assert covered("worker").observed == "50 % of 2 sources"
    assert "grafana" in covered("api", "worker", answers=()).message


def test_a_worker_that_is_not_scraped_fails_and_so_does_one_too_many() -> None:
    assert covered("api").level is Level.FAIL
    assert covered("api", "worker", "worker").message == "1 worker runs and 2 are scraped."
    stopped = replace(WORKER, state=State.EXITED)
    assert covered("api", replicas=(stopped,)).level is Level.PASS


@pytest.mark.parametrize(
    ("found", "level"),
    [
        (Databases(1, 1, 7), Level.PASS),
        (Databases(0, 1, 7), Level.FAIL),
        (Databases(1, 0, 7), Level.FAIL),
        (Databases(None, 1, 7), Level.FAIL),
        (Databases(1, None, 7), Level.FAIL),
        (Databases(1, 1, None), Level.FAIL),
        (Databases(1, 1, 0), Level.FAIL),
    ],
)
def test_reached(found: Databases, level: Level) -> None:
    assert reached(found, GATE).level is level


def test_what_is_not_reached_is_named() -> None:
    said = reached(Databases(0, None, 7), GATE).message
    assert said == "An exporter does not reach what it measures: redis_up is 0, pg_up is missing."
