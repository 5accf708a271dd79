"""What containers remember of their past, where the engine's own memory is full of health checks."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.engines.docker.observing.test_events import REPLICA, Engine
from tradebot_ops.engines.docker.observing.events import EventStream
from tradebot_ops.engines.docker.observing.remembered import remembered

#: When the events of that engine happened.
NOW = datetime.fromtimestamp(10**9, UTC)
NEVER = "0001-01-01T00:00:00Z"


def container(started: float | None, ended: float | None = None, **state: Any) -> dict[str, Any]:
    """Times are seconds before now."""
    started_at, ended_at = (NEVER if each is None else (NOW - timedelta(seconds=each)).isoformat()
                            for each in (started, ended))  # fmt: skip
    return {"Config": {"Labels": REPLICA}, "State": {"StartedAt": started_at, "FinishedAt": ended_at, **state}}


def happened(raw: dict[str, Any], since: float = 3600) -> list[tuple[str, int | None]]:
    return [(event.action, event.exit_code) for event in remembered([raw], NOW - timedelta(seconds=since))]


def test_the_last_start_and_the_last_end_are_remembered() -> None:
    assert happened(container(60)) == [("start", None)]
    assert happened(container(60, 30, ExitCode=3)) == [("start", None), ("die", 3)]
    assert happened(container(60, 30, ExitCode=3), since=45) == [("die", 3)]
    assert happened(container(None)) == []


def test_the_exit_code_of_one_that_runs_again_is_not_that_of_its_end() -> None:
    assert happened(container(30, 60, ExitCode=0)) == [("die", None), ("start", None)]


def test_who_killed_is_known_of_the_kernel_alone() -> None:
    """Docker sends SIGKILL for `stop`, too, and that it did is an event."""
    assert happened(container(60, 30, ExitCode=137)) == [("start", None), ("die", None)]
    killed = happened(container(60, 30, ExitCode=137, OOMKilled=True))
    assert killed == [("start", None), ("die", None), ("oom", None)]


def told(*events: tuple[str, dict[str, str]], before: float) -> list[tuple[str, str]]:
    past = remembered([container(before)], NOW - timedelta(hours=1))
    stream = EventStream(Engine(*events), "demo", past=past)  # type: ignore[arg-type]
    return [(event.label, event.action) for event in stream]


def test_what_the_engine_forgot_comes_first_and_what_it_knows_once() -> None:
    start, health = ("start", REPLICA), ("exec_create: pg_isready", REPLICA)
    assert told(health, ("stop", REPLICA), before=600) == [("worker-2", "start"), ("worker-2", "stop")]
    assert told(health, before=600) == [("worker-2", "start")]
    assert told(start, before=0.2) == [("worker-2", "start")]
    assert told(start, before=600) == [("worker-2", "start"), ("worker-2", "start")]
