"""One worker is ended and started again; its job goes to another one, and nothing happens unasked."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.operations.seen import Made, made
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError, Unreachable
from tradebot_ops.operations.lifecycle import end_worker
from tradebot_ops.progress import Phase, ProgressEvent, ignore_progress
from tradebot_ops.settings import load_settings

COMPOSE = """
services:
  worker:
    image: worker:1
    command: [work]
    stop_grace_period: 45s
    deploy: {replicas: 2}
    x-tradebot: {scalable: true}
"""


class Api:
    def __init__(self, *, away: bool = False) -> None:
        self.away, self.ended, self.reasons = away, list[str](), set[str]()

    def hand_over(self, name: str, reason: str) -> list[dict[str, Any]]:
        if self.away:
            raise Unreachable("The API cannot be reached.", code="TB-0501")
        self.reasons.add(reason)
        self.ended.append(name)
        return [{"id": "j1"}] if name == "worker-2" else []


class Redis:
    def __init__(self) -> None:
        self.granted: list[float] = []

    def grant_drain(self, names: object, seconds: float) -> None:
        self.granted.append(seconds)


class Engine(StubEngine):
    graces: dict[str, float]

    def stop(self, replica: Any, grace: float) -> None:
        self.graces = {replica.label: grace}
        super().stop(replica, grace)


@pytest.fixture
def make(tmp_path: Path) -> Callable[[Api], tuple[Ops, Engine]]:
    (tmp_path / "compose.yaml").write_text(COMPOSE)

    def made(api: Api) -> tuple[Ops, Engine]:
        environ = {"TRADEBOT_STATE": str(tmp_path / "state"), "HOME": str(tmp_path)}
        engine = Engine("demo")
        ops = Ops(load_settings({"project": "demo"}, environ, tmp_path), engine)
        ops.__dict__["api"], ops.__dict__["redis"] = api, Redis()
        engine.prepare(ops.stack, lambda _service, _line: None)
        for number in (1, 2):
            engine.apply(ops.stack, "worker", number)
        engine.recording.clear()
        return ops, engine

    return made


def agree(_warning: str) -> None:
    """The operator does."""


def test_a_killed_worker_gets_no_time_and_its_job_goes_to_another(make: Callable[[Api], tuple[Ops, Engine]]) -> None:
    ops, engine = make(api := Api())
    report = end_worker.kill(ops, "worker-2", "it hangs", agree, ignore_progress)
    assert engine.graces == {"worker-2": 0}
    assert engine.recording == [("stop", "worker-2"), ("apply", "worker-2")]
    assert api.reasons == {"it hangs"}
    assert "worker-2" in api.ended
    assert report.data == {"worker": "worker-2", "jobs": ["j1"]}
    assert report.sections[0].lines == (
        "worker-2 was killed, and runs again.",
        "Its job was given to another worker: tradebot jobs watch j1",
    )


def test_without_the_api_it_is_killed_all_the_same_with_a_warning(make: Callable[[Api], tuple[Ops, Engine]]) -> None:
    ops, engine = make(Api(away=True))
    report = end_worker.kill(ops, "2", "it hangs", agree, ignore_progress)
    assert engine.recording == [("stop", "worker-2"), ("apply", "worker-2")]
    assert report.warnings == ("Its job waits until the worker runs again: The API cannot be reached.",)


def test_nothing_happens_to_one_that_is_not_there_or_that_nobody_agreed_to(
    make: Callable[[Api], tuple[Ops, Engine]],
) -> None:
    ops, engine = make(api := Api())

    def refuse(warning: str) -> None:
        raise OpsError(f"{warning} No.", code="TB-0902")

    with pytest.raises(OpsError, match="worker-2 will be killed"):
        end_worker.kill(ops, "worker-2", "it hangs", refuse, ignore_progress)
    with pytest.raises(OpsError, match="no worker 'worker-7'"):
        end_worker.kill(ops, "worker-7", "it hangs", agree, ignore_progress)
    assert (engine.recording, api.ended) == ([], [])


@pytest.mark.parametrize(("drain", "grace", "granted"), [(None, 45, []), (300.0, 315, [300.0]), (0.0, 15, [0.0])])
def test_a_restarted_worker_gets_its_time(
    make: Callable[[Api], tuple[Ops, Engine]], drain: float | None, grace: float, granted: list[float]
) -> None:
    ops, engine = make(api := Api())
    report = end_worker.restart(ops, "worker-1", ignore_progress, drain=drain)
    assert engine.graces == {"worker-1": grace}
    assert engine.recording == [("stop", "worker-1"), ("apply", "worker-1")]
    assert ops.redis.granted == granted  # type: ignore[attr-defined]
    assert (report.data, api.ended) == ({"worker": "worker-1"}, [])


def test_who_looks_on_and_the_audit_log_are_told(
    make: Callable[[Api], tuple[Ops, Engine]], monkeypatch: pytest.MonkeyPatch
) -> None:
    ops, _ = make(Api())
    events: list[ProgressEvent] = []
    end_worker.kill(ops, "worker-2", "it hangs", agree, events.append)
    report = end_worker.restart(ops, "worker-1", events.append, drain=5)
    stopping = [event for event in events if event.phase is Phase.STOPPING]
    assert stopping == [
        ProgressEvent("worker", Phase.STOPPING, "worker-2"),
        ProgressEvent("worker", Phase.STOPPING, "worker-1: its job has up to 5 s, then it is handed back"),
    ]
    assert report.sections[0].lines == ("worker-1 was restarted.",)
    assert made(monkeypatch, lambda heard: end_worker.kill(ops, "2", "it hangs", agree, heard)) == [
        Made(("workers kill", "worker-2"))
    ]
    assert made(monkeypatch, lambda heard: end_worker.restart(ops, "1", heard)) == [
        Made(("workers restart", "worker-1"))
    ]
