"""Every level of the checks on workers, and how their facts treat who does not answer."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tradebot_ops.context import Ops
from tradebot_ops.errors import Unreachable
from tradebot_ops.facts.asking import Facts
from tradebot_ops.facts.fact import Unknown
from tradebot_ops.facts.metrics.samples import parse
from tradebot_ops.facts.work import workers
from tradebot_ops.facts.work.queue import Lost
from tradebot_ops.facts.work.workers import Beat, Shown, Worker
from tradebot_ops.model import Level
from tradebot_ops.monitoring.contract import Metric
from tradebot_ops.prodcheck.stages.workers.alive import heard, kept, measured

ONE = Worker("worker-1", 1, ("worker-1", "demo-worker-1", "0123456789ab"))
TWO = Worker("worker-2", 2, ("worker-2", "demo-worker-2", "ba9876543210"))
BEATS = (Beat("worker-1", "idle", 0.5), Beat("ba9876543210", "busy", 1.0))
METRIC = Metric("worker_busy", "gauge", frozenset(), "worker")


def shown(memory: int = 100) -> Shown:
    text = f"# TYPE worker_busy gauge\nworker_busy 0\n# TYPE worker_memory_bytes gauge\nworker_memory_bytes {memory}\n"
    return Shown("worker-1", parse(text))


def test_heard() -> None:
    assert heard((ONE, TWO), BEATS).level is Level.PASS
    assert heard((), ()).level is Level.FAIL
    for wrong, said in (
        (BEATS[:1], "worker-2 sends no heartbeat"),
        ((replace(BEATS[0], age=8.2), BEATS[1]), "worker-1 was last heard 8 s ago"),
        ((*BEATS, Beat("ghost", "idle", 0.1)), "ghost is heard"),
    ):
        verdict = heard((ONE, TWO), wrong)
        assert verdict.level is Level.FAIL
        assert said in verdict.message


def test_measured() -> None:
    assert measured((shown(),), (METRIC,)).level is Level.PASS
    assert measured((), (METRIC,)).level is Level.FAIL
    silent = Shown("worker-2", unreadable="Worker 2 does not answer.")
    assert "worker-2: Worker 2 does not answer." in measured((shown(), silent), (METRIC,)).observed
    assert measured((shown(),), (replace(METRIC, name="worker_idle"),)).observed == "worker-1: worker_idle is missing"
    # What the API emits is not a worker's to show.
    assert measured((shown(),), (METRIC, Metric("x", "gauge", frozenset(), "api"))).level is Level.PASS


@pytest.mark.parametrize(("memory", "level"), [(80, Level.PASS), (81, Level.WARN), (95, Level.WARN), (96, Level.FAIL)])
def test_kept_memory(memory: int, level: Level) -> None:
    assert kept((), (shown(memory),), 100).level is level
    assert kept((), (shown(memory),), None).level is Level.PASS


def test_kept_jobs() -> None:
    verdict = kept((Lost("7", "backtest", "worker-9", 60.0),), (shown(),), 1000)
    assert verdict.level is Level.FAIL
    assert "worker-9" in verdict.evidence


def test_who_cannot_be_asked_is_shown_as_that_and_the_others_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def scrape(_ops: Ops, number: int) -> str:
        if number == 1:
            raise Unreachable("Worker 1 does not answer.", code="TB-0509")
        return "worker_busy 0\n" if number == 2 else "<html>"

    monkeypatch.setattr(workers, "scrape", scrape)
    found = workers.shown(cast("Ops", None), (ONE, TWO, Worker("worker-3", 3, ())))
    assert [bool(each.unreadable) for each in found] == [True, False, True]


def test_a_heartbeat_that_was_only_just_late_is_heard_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "INTERVAL_S", 0.0)
    ages = iter([3.5, 0.2])

    def answer() -> list[dict[str, Any]]:
        return [{"name": "worker-1", "state": "idle", "age_s": next(ages)}]

    ops = cast("Ops", SimpleNamespace(api=SimpleNamespace(workers=answer)))
    assert workers.beats(ops) == (Beat("worker-1", "idle", 0.2),)


def test_heartbeats_that_are_fresh_are_heard_once() -> None:
    """Nobody waits for a second one that would say the same."""
    asked: list[int] = []

    def answer() -> list[dict[str, Any]]:
        asked.append(1)
        return [{"name": "worker-1", "state": "idle", "age_s": 0.2}]

    ops = cast("Ops", SimpleNamespace(api=SimpleNamespace(workers=answer)))
    assert workers.beats(ops) == (Beat("worker-1", "idle", 0.2),)
    assert asked == [1]


def test_without_the_api_nobody_could_look() -> None:
    def away() -> list[dict[str, Any]]:
        raise Unreachable("The API cannot be reached.", code="TB-0501")

    answer = Facts(cast("Ops", SimpleNamespace(api=SimpleNamespace(workers=away)))).value(workers.beats)
    assert isinstance(answer, Unknown)
