"""How the stack is: every replica with its state, what is missing, and that alerts are blind, which no alert says."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.seen import whole
from tests.paths import ROOT
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Address, Published, Replica, State, Stats
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.model import Level, Report
from tradebot_ops.operations.lifecycle import status as module
from tradebot_ops.operations.lifecycle.status import status
from tradebot_ops.records import Absence, UnavailableServices
from tradebot_ops.settings import load_settings


@pytest.fixture
def engine() -> StubEngine:
    return StubEngine("demo")


def made(engine: StubEngine, folder: Path, profiles: str = "monitoring") -> Ops:
    environ = {"TRADEBOT_STATE": str(folder), "HOME": str(folder), "TRADEBOT_PROFILES": profiles}
    ops = Ops(load_settings({"project": "demo"}, environ, ROOT), engine)
    engine.prepare(ops.stack, lambda service, line: None)
    return ops


def blind(ops: Ops, *services: str) -> list[tuple[Level, str, str]]:
    found = status(ops, services, only=bool(services)).findings
    return [(each.level, each.message, each.hint) for each in found if each.id == "status.blind"]


def test_prometheus_or_alertmanager_away_is_said_plainly(engine: StubEngine, tmp_path: Path) -> None:
    ops = made(engine, tmp_path)
    for service in ("worker", "prometheus", "alertmanager"):
        engine.apply(ops.stack, service, 1)
    engine.crash("prometheus", 1, for_good=True)
    start = "tradebot monitoring start"
    unnoticed = (Level.FAIL, "Alerts are blind: prometheus is failed, so no fault is noticed.", start)
    assert unnoticed in blind(ops)
    engine.crash("alertmanager", 1, for_good=True)
    untold = (Level.FAIL, "Alerts are blind: alertmanager is failed, so nobody is notified of a fault.", start)
    assert blind(ops) == [unnoticed, untold]
    assert blind(ops, "worker") == []


def test_a_replica_that_is_missing_is_away_as_well(engine: StubEngine, tmp_path: Path) -> None:
    ops = made(engine, tmp_path)
    assert blind(ops) == [], "nothing runs: that is enough"
    engine.apply(ops.stack, "worker", 1)
    assert [message.partition(",")[0] for _, message, _ in blind(ops)] == [
        "Alerts are blind: prometheus is missing",
        "Alerts are blind: alertmanager is missing",
    ]


def test_who_chose_no_monitoring_misses_none(engine: StubEngine, tmp_path: Path) -> None:
    ops = made(engine, tmp_path, "core")
    engine.apply(ops.stack, "worker", 1)
    assert blind(ops) == []


@pytest.mark.parametrize(
    ("halt", "messages"),
    [
        (None, []),
        ({"halted": False, "at": None, "by": None, "reason": None}, []),
        (
            {"halted": True, "at": "2026-11-28T08:15:00Z", "by": "ana@desk", "reason": "fills look wrong"},
            ["HALTED by ana@desk 45 min ago, no job is taken or started: fills look wrong."],
        ),
    ],
)
def test_a_halt_is_the_first_that_is_read(
    engine: StubEngine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    halt: dict[str, Any] | None,
    messages: list[str],
) -> None:
    monkeypatch.setattr(module, "halted", lambda ops, running: halt)
    ops = made(engine, tmp_path, "core")
    ops.clock = lambda: datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
    engine.apply(ops.stack, "worker", 1)
    report = status(ops)
    data: Any = report.data
    assert data["halt"] == halt
    assert [each.message for each in report.findings if each.id == "status.halted"] == messages
    assert not messages or report.findings[0].hint == "tradebot resume"
    assert [each.level for each in report.findings if each.id == "status.halted"] == [Level.WARN] * len(messages)


# Every state

COMPOSE = """
services:
  gone: {image: "app:1", command: [run]}
  api: {image: "app:1", command: [run]}
  task: {image: "app:1", command: [run]}
  later: {image: "app:1", command: [run], depends_on: {task: {condition: service_completed_successfully}}}
  worker: {image: "app:1", command: [run], deploy: {replicas: 4}, x-tradebot: {scalable: true}}
  beside: {image: "app:1", command: [run], profiles: [other]}
"""
NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)


class Engine(StubEngine):
    """Has the replicas of a list, and measures those that run."""

    def __init__(self, *replicas: Replica) -> None:
        super().__init__("demo")
        self.replicas = replicas

    def list(self) -> tuple[Replica, ...]:
        return self.replicas

    def stats(self, replicas: Sequence[Replica], *, cpu: bool = False) -> tuple[Stats, ...]:
        """Of each that it is asked for: it would fail for one that does not run."""
        assert all(each.state is State.RUNNING for each in replicas)
        return tuple(
            Stats(each.id, 0.12345 if cpu else None, 64 * 1024**2, 1024**3) for each in replicas if each.number == 1
        )


def one(service: str, number: int = 1, state: State = State.RUNNING, **fields: Any) -> Replica:
    name = f"{service}-{number}"
    return Replica(service, number, f"id-{name}", name, state, image="app:1", **fields)


def project(folder: Path, monkeypatch: pytest.MonkeyPatch, *replicas: Replica) -> Ops:
    (folder / "compose.yaml").write_text(COMPOSE)
    environ = {"TRADEBOT_STATE": str(folder / "state"), "HOME": str(folder), "TRADEBOT_PROFILES": "core"}
    ops = Ops(load_settings({"project": "demo"}, environ, folder), Engine(*replicas))
    ops.clock = lambda: NOW
    monkeypatch.setattr(module, "halted", lambda ops, running: None)
    return ops


STARTED = NOW - timedelta(minutes=90)
EVERY = (
    one("worker", 4, restarts=3, started_at=STARTED),
    one("worker", 2, State.RESTARTING, restarts=7, started_at=STARTED),
    one("worker", 1, State.EXITED, exit_code=137, started_at=STARTED),
    one("api", started_at=STARTED, pid=4711, published=tuple(
        Published(port, Address("127.0.0.1", port + 1)) for port in (80, 81)
    )),
    one("task", state=State.EXITED, exit_code=0),
    one("later", state=State.FAILED, exit_code=1, restarts=1),
    one("removed"),
    one("beside"),
)  # fmt: skip


@pytest.mark.parametrize("cpu", [False, True])
def test_every_replica_has_its_row_and_what_is_wrong_its_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion, *, cpu: bool
) -> None:
    ops = project(tmp_path, monkeypatch, *EVERY)
    ops.state.store(UnavailableServices({"gone": Absence("No image for this host.", "")}))
    assert whole(status(ops, cpu=cpu)) == snapshot


def states(report: Report) -> dict[str, str]:
    data: Any = report.data
    return {f"{each['service']}-{each['number']}": each["state"] for each in data["services"]}


def test_what_should_run_and_does_not_is_missing_by_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ops = project(tmp_path, monkeypatch, one("worker", 2), one("worker", 3), one("api"))
    assert states(status(ops)) == {
        "gone-1": "missing",
        "api-1": "running",
        "task-1": "missing",
        "later-1": "missing",
        "worker-1": "missing",
        "worker-2": "running",
        "worker-3": "running",
        "worker-4": "missing",
    }


def test_of_those_that_were_named_alone_others_are_not_missed_and_with_only_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ops = project(tmp_path, monkeypatch, one("api"), one("worker", 5))
    assert states(status(ops, ["api", "task"])) == {"api-1": "running", "task-1": "missing", "worker-5": "running"}
    assert states(status(ops, ["api", "task"], only=True)) == {"api-1": "running", "task-1": "missing"}


def test_a_service_that_cannot_run_here_is_missed_by_nobody_unless_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ops = project(tmp_path, monkeypatch, one("api"))
    ops.state.store(UnavailableServices({name: Absence("No image.", "") for name in ("gone", "api")}))
    report = status(ops, ["gone", "api", "task"])
    assert states(report) == {"gone-1": "unavailable", "api-1": "running", "task-1": "missing"}
    assert [each.message for each in report.findings if "gone" in each.message] == []
    assert report.sections[1].lines == ("gone is unavailable: No image.",)


@pytest.mark.parametrize(
    ("replica", "runs"),
    [
        (one("worker"), True),
        (one("worker", state=State.RESTARTING), True),
        (one("worker", state=State.PAUSED), True),
        (one("worker", state=State.STARTING), True),
        (one("removed", state=State.EXITED), True),
        (one("worker", state=State.EXITED, exit_code=0), False),
        (one("worker", state=State.FAILED), False),
        (one("worker", state=State.CREATED), False),
    ],
)
def test_whether_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replica: Replica, *, runs: bool
) -> None:
    report = status(project(tmp_path, monkeypatch, replica))
    data: Any = report.data
    nothing = [(Level.FAIL, "status.down", "Nothing runs.", "tradebot up")]
    assert data["running"] is runs
    assert ([(each.level, each.id, each.message, each.hint) for each in report.findings] == nothing) is not runs


def test_a_worker_that_is_to_take_no_jobs_is_seen_and_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replicas = [one("worker", 1), one("worker", 2), one("worker", 3, State.PAUSED), one("worker", 4)]
    asked: list[Sequence[Replica]] = []

    def drained(ops: Ops, running: Sequence[Replica]) -> dict[str, str]:
        asked.append(running)
        return {"worker-1": "takes no jobs, says ana", "worker-3": "takes no jobs, says ana"}

    monkeypatch.setattr(module, "drained", drained)
    report = status(project(tmp_path, monkeypatch, *replicas), ["worker"])
    assert states(report) == {
        "worker-1": "drained", "worker-2": "running", "worker-3": "paused", "worker-4": "running",
    }  # fmt: skip
    assert report.sections[0].tables[0].rows[0][-1] == "takes no jobs, says ana"
    assert [each.id for each in report.findings] == ["status.paused"]
    assert asked == [[replicas[0], replicas[1], replicas[3]]]


def test_alerts_are_blind_for_a_while_only_where_the_service_starts_or_cannot_run(
    engine: StubEngine, tmp_path: Path
) -> None:
    ops = made(engine, tmp_path)
    engine.apply(ops.stack, "worker", 1)
    ops.state.store(UnavailableServices({"prometheus": Absence("No image.", "")}))
    assert [(level, message.partition(",")[0]) for level, message, _ in blind(ops)] == [
        (Level.WARN, "Alerts are blind: prometheus is unavailable"),
        (Level.FAIL, "Alerts are blind: alertmanager is missing"),
    ]


@pytest.mark.parametrize(
    ("condition", "level"),
    [("starting", Level.WARN), ("orphan", Level.WARN), ("missing", Level.FAIL), ("unhealthy", Level.FAIL)],
)
def test_what_only_needs_a_moment_or_a_hand_is_a_warning(condition: str, level: Level) -> None:
    row: Any = SimpleNamespace(service="api", number=1, condition=condition, detail="", hint="")
    (finding,) = module._findings([row], nothing=False)
    assert (finding.level, finding.id) == (level, f"status.{condition}")
    assert finding.message == f"api 1 is {condition}: the engine gives no reason."
