"""Every level of the checks on workers' load, and what is skipped for a true reason."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tradebot_ops.context import Ops
from tradebot_ops.facts.asking import Facts
from tradebot_ops.facts.fact import Fact, NotHere, Skip, Unknown
from tradebot_ops.facts.project import unbuilt
from tradebot_ops.facts.work import worker_load
from tradebot_ops.facts.work.breakers import Breaker
from tradebot_ops.facts.work.worker_load import Growth, Utilisation
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.stages.workers.load import closed, steady, utilised, within_limits

QUIET = Utilisation(0.0, 0.0, 2, 900.0)
DAY = 86_400.0
LEAK = Growth("worker-1", 500.0, 500.0 / DAY, 4000.0)


@pytest.mark.parametrize(
    ("found", "level"),
    [
        (QUIET, Level.PASS),
        (replace(QUIET, share=0.7, busy=1.4), Level.PASS),
        (replace(QUIET, share=0.3, busy=0.6), Level.WARN),
        # One worker is the least there can be.
        (replace(QUIET, share=0.3, busy=0.6, workers=1), Level.PASS),
        (replace(QUIET, share=0.91, busy=1.8), Level.WARN),
        (replace(QUIET, share=0.96, busy=1.9), Level.FAIL),
        # Not yet for 15 minutes.
        (replace(QUIET, share=0.96, busy=1.9, seconds=300.0), Level.WARN),
    ],
)
def test_utilised(found: Utilisation, level: Level) -> None:
    assert utilised(found).level is level


@pytest.mark.parametrize(
    ("growth", "limit", "level"),
    [
        ((LEAK,), 1001, Level.PASS),
        ((LEAK,), 999, Level.WARN),
        ((replace(LEAK, slope=-1.0),), 600, Level.PASS),
        # Fast and far below the limit, slow and near it: the latter is full first.
        ((replace(LEAK, slope=1.0), replace(LEAK, instance="worker-2", memory=100_000.0)), 100_100, Level.WARN),
        ((LEAK,), None, Level.PASS),
        ((replace(LEAK, seconds=3000.0),), 600, Level.SKIP),
        ((), 600, Level.SKIP),
    ],
)
def test_steady(growth: tuple[Growth, ...], limit: int | None, level: Level) -> None:
    assert steady(growth, limit).level is level


def ops(found: list[Any], *services: str) -> Ops:
    prometheus = SimpleNamespace(query=lambda _expression: found)
    return cast("Ops", SimpleNamespace(prometheus=prometheus, stack=SimpleNamespace(services=dict.fromkeys(services))))


def test_without_monitoring_there_is_nothing_to_ask_and_without_a_scrape_nobody_could_look() -> None:
    asked: tuple[Fact[Any], ...] = (worker_load.utilisation, worker_load.growth)
    for fact in asked:
        assert isinstance(Facts(ops([])).value(fact), NotHere)
    answer = Facts(ops([], "prometheus")).value(worker_load.utilisation)
    assert isinstance(answer, Unknown)
    assert worker_load.growth(ops([], "prometheus")) == ()


def test_what_is_measured_is_read_by_instance() -> None:
    series = [SimpleNamespace(labels={"instance": "worker-1"}, value=7.0)]
    assert worker_load.growth(ops(series, "prometheus")) == (Growth("worker-1", 7.0, 7.0, 7.0),)


def test_what_cannot_be_asked_yet_is_skipped_for_a_true_reason_and_never_passes() -> None:
    answer = Facts(ops([])).value(unbuilt.exchange)
    assert isinstance(answer, NotHere)
    assert answer.reason is Skip.ADAPTER
    with pytest.raises(NotImplementedError):
        within_limits("anything")


def test_an_open_breaker_is_named_with_the_last_error() -> None:
    away, back = Breaker("mail", True, 2, "timed out"), Breaker("market-data", False, 1, "")
    assert closed(()).level is Level.PASS
    assert closed((back,)).level is Level.PASS
    verdict = closed((away, back))
    assert (verdict.level, verdict.observed, verdict.evidence) == (Level.WARN, "1 of 2 open", "mail: timed out")
