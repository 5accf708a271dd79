"""How a worker starts, works and ends: in which order its parts are called, and what it says where one is away."""

import signal
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock, call

import psycopg
import pytest
import redis
from structlog.testing import capture_logs

from services.common.database import DatabaseUnavailable
from services.common.jobtypes import Quarantined, Registry
from services.common.transport import TransportUnavailable
from services.worker import main
from services.worker.attempt import Running
from services.worker.main import (
    CONNECTIONS,
    HANDBACK_S,
    HEARD_S,
    LEASE_RENEWER,
    LOOK_S,
    WARM_UP_S,
    Signals,
    WorkerService,
)
from services.worker.outcome import Stop

SETTINGS: Any = SimpleNamespace(
    worker_name="worker-1",
    worker_lease_seconds=15.0,
    worker_grace_seconds=40.0,
    worker_metrics_listen="127.0.0.1:9",
    job_memory_limit=1000,
    job_time_limits="b=60,gone=60",
)
PARTS = (
    "Database", "Ledger", "Schedules", "Transport", "LeaseRenewer", "Sweeper", "StandingOrder", "HeartbeatSender",
    "WorkerMetrics", "QueueCollector", "Shared", "declared_limits", "make_broker", "redis_client", "heard",
    "granted_drain",
)  # fmt: skip


class World:
    """All parts of a worker, with two lanes; ``calls`` are theirs in order. Its time passes where a lane waits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.mock = Mock()
        self.short, self.long = self.mock.short, self.mock.long
        for lane in (self.short, self.long):
            lane.running, lane.child = None, None
            lane.dead.return_value = []
            lane.wait_idle.return_value = True
        for name in PARTS:
            monkeypatch.setattr(main, name, getattr(self.mock, name))
        monkeypatch.setattr(main, "lanes", lambda shared: self.mock.lanes(shared) and (self.short, self.long))
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        monkeypatch.setattr(main, "registry", lambda: Registry({"b": 1, "a": 2}, (Quarantined("c", "no"),)))  # type: ignore[dict-item]
        self.metrics = self.mock.WorkerMetrics.return_value
        self.metrics.serve.return_value = 9001
        self.ledger = self.mock.Ledger.return_value
        self.ledger.end_leases.return_value = 0
        self.order = self.mock.StandingOrder.return_value
        self.renewer = self.mock.LeaseRenewer.return_value
        self.sweeper = self.mock.Sweeper.return_value
        self.sender = self.mock.HeartbeatSender.return_value
        self.mock.granted_drain.return_value = None
        self.worker = WorkerService(SETTINGS)
        self.made = {name: getattr(self.mock, name).call_args for name in (*PARTS, "lanes")}
        self.mock.reset_mock()

    @property
    def calls(self) -> list[str]:
        """``Database.open``, ``short.start`` …, in their order."""
        return [name.replace("()", "") for name, *_ in self.mock.mock_calls]

    def passes(self, lane: Mock, *idle: bool) -> None:
        """Each wait for this lane takes all its time; then it is idle, or not."""
        answers = list(idle)

        def wait(seconds: float) -> bool:
            self.now += seconds
            return answers.pop(0) if answers else False

        lane.wait_idle.side_effect = wait


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def job(since: float) -> Running:
    return Running(f"job since {since:g}", "nap", since)


# Parts


def test_the_parts_know_each_other(world: World) -> None:
    made, mock = world.made, world.mock
    client = mock.redis_client.return_value
    assert made["WorkerMetrics"] == call(1000)
    assert made["Database"] == call(SETTINGS, "worker", max_size=CONNECTIONS, on_error=world.metrics.database_error)
    assert made["Ledger"] == call(mock.Database.return_value, mock.declared_limits.return_value)
    assert made["declared_limits"] == call({"b": 1, "a": 2})
    assert made["redis_client"] == call(SETTINGS, world.metrics.redis_operation)
    assert made["make_broker"] == call(SETTINGS, client=client)
    assert made["Transport"] == call(mock.make_broker.return_value)
    assert made["LeaseRenewer"] == call(world.ledger, 15.0)
    assert made["Schedules"] == call(mock.Database.return_value)
    assert made["StandingOrder"] == call(client, "worker-1", world.worker._take_jobs)
    assert made["lanes"] == call(mock.Shared.return_value)
    assert made["Shared"] == call(
        SETTINGS, client, world.ledger, mock.Transport.return_value, world.renewer, world.metrics,
        make_room=world.sweeper.wake,
    )  # fmt: skip
    words, more = made["Sweeper"]
    assert words == (world.ledger, mock.Schedules.return_value, mock.Transport.return_value)
    assert more["beating"]() is mock.heard.return_value
    assert mock.heard.call_args == call(client, HEARD_S)
    assert made["HeartbeatSender"].args == (client, "worker-1", world.metrics, world.order)


def test_a_heartbeat_shows_the_job_that_has_run_for_longest(world: World) -> None:
    shown = world.made["HeartbeatSender"].kwargs["job"]
    assert shown() is None
    for short, long, oldest in ((3.0, 2.0, 2.0), (1.0, 2.0, 1.0), (None, 2.0, 2.0), (1.0, None, 1.0)):
        world.short.running, world.long.running = (job(since) if since else None for since in (short, long))
        assert shown() == job(oldest)


@pytest.mark.parametrize(
    ("short", "long", "holds", "rests"),
    [
        (True, True, False, True),
        (True, True, True, False),
        (True, False, False, False),
        (False, True, False, False),
    ],
)
def test_a_worker_is_at_rest_without_a_job_and_without_one_to_record(
    world: World, short: bool, long: bool, holds: bool, rests: bool
) -> None:
    world.short.wait_idle.return_value, world.long.wait_idle.return_value = short, long
    world.renewer.holds = holds
    assert world.made["HeartbeatSender"].kwargs["at_rest"]() is rests
    assert world.short.wait_idle.call_args == call(0.0)


def test_a_heartbeat_counts_the_processes_that_are_there_and_names_what_hangs(world: World) -> None:
    shown = world.made["HeartbeatSender"].kwargs
    world.short.child = 7
    assert shown["children"]() == [7]
    world.long.child = 8
    assert shown["children"]() == [7, 8]
    world.short.stalled.return_value = world.long.stalled.return_value = None
    assert shown["stalled"]() is None
    world.long.stalled.return_value = "job"
    assert shown["stalled"]() == "job"


def test_two_lanes_share_one_wait(world: World) -> None:
    world.passes(world.short, True)
    assert world.worker._wait_idle(5.0)
    assert (world.short.wait_idle.call_args, world.long.wait_idle.call_args) == (call(5.0), call(0.0))
    world.short.wait_idle.side_effect = None
    assert world.worker._wait_idle(5.0)
    assert world.long.wait_idle.call_args == call(5.0)


# Start


def test_first_it_is_ready_then_it_hears_its_order_and_only_then_takes_jobs(world: World) -> None:
    with capture_logs() as logs:
        world.worker.start()
    assert world.calls == [
        "QueueCollector", "WorkerMetrics.add", "WorkerMetrics.serve", "short.prepare", "long.prepare", "Database.open",
        "StandingOrder.look", "HeartbeatSender.start", "Ledger.end_leases", "LeaseRenewer.start", "Sweeper.start",
        "short.start", "long.start",
    ]  # fmt: skip
    assert world.mock.QueueCollector.call_args == call(
        world.ledger, world.mock.redis_client.return_value, workers_desired=False
    )
    assert world.metrics.add.call_args == call(world.mock.QueueCollector.return_value)
    assert world.metrics.serve.call_args == call("127.0.0.1:9")
    assert world.short.prepare.call_args == call(within=WARM_UP_S)
    assert world.ledger.end_leases.call_args == call("worker-1")
    started = {"worker": "worker-1", "metrics_port": 9001, "job_types": ["a", "b"]}
    assert logs == [
        {"event": "job type in quarantine", "log_level": "error", "job_type": "c", "reason": "no"},
        {
            "event": "time limit of a job type that is not here",
            "log_level": "warning",
            "job_type": "gone",
            "setting": "JOB_TIME_LIMITS",
        },
        {"event": "worker started", "log_level": "info", **started},
    ]


def test_jobs_of_the_worker_before_are_sent_before_any_other_is_taken(world: World) -> None:
    world.ledger.end_leases.return_value = 2
    with capture_logs() as logs:
        world.worker.start()
    assert world.calls[8:11] == ["Ledger.end_leases", "Sweeper.sweep", "LeaseRenewer.start"]
    assert logs[0] == {"event": "the worker of this name before left jobs", "log_level": "warning", "jobs": 2}


@pytest.mark.parametrize(
    "error",
    [DatabaseUnavailable("away\nnow"), psycopg.Error("away\nnow"), TransportUnavailable("away\nnow")],
)
def test_it_starts_where_jobs_of_the_worker_before_cannot_be_had_yet(world: World, error: Exception) -> None:
    world.ledger.end_leases.side_effect = error
    with capture_logs() as logs:
        world.worker.start()
    assert world.calls[-1] == "long.start"
    said = {"event": "jobs of the worker before not taken over yet", "log_level": "warning", "reason": "away now"}
    assert logs[0] == said


def test_it_starts_where_its_order_cannot_be_heard(world: World) -> None:
    world.order.look.side_effect = redis.ConnectionError("away")
    with capture_logs() as logs:
        world.worker.start()
    assert world.calls[-1] == "long.start"
    said = {"event": "not known whether to take jobs; they are taken", "log_level": "warning", "reason": "away"}
    assert logs[0] == said


@pytest.mark.parametrize("take", [True, False])
def test_an_order_reaches_both_lanes_and_is_shown(world: World, take: bool) -> None:
    world.worker._take_jobs(take)
    assert world.mock.mock_calls == [
        call.short.pause(paused=not take), call.long.pause(paused=not take),
        call.WorkerMetrics().active(takes_jobs=take),
    ]  # fmt: skip


def test_threads_that_ended_are_named(world: World) -> None:
    parts = (world.renewer, world.sender, world.sweeper)
    for part in parts:
        part.alive = True
    assert world.worker.dead() == []
    for part, name in zip(parts, (LEASE_RENEWER, "heartbeat", "sweeper"), strict=True):
        part.alive = False
        assert world.worker.dead() == [name]
        part.alive = True
    world.sweeper.alive = False
    world.long.dead.return_value = ["long: runner 1"]
    assert world.worker.dead() == ["sweeper", "long: runner 1"]


# End


def test_an_idle_worker_ends_in_order(world: World) -> None:
    with capture_logs() as logs:
        world.worker.end()
    assert [name for name in world.calls if not name.endswith("wait_idle")] == [
        "HeartbeatSender.drain", "short.drain", "long.drain", "granted_drain", "short.end_attempts",
        "long.end_attempts", "LeaseRenewer.stop_all", "short.stop", "long.stop", "Sweeper.close", "LeaseRenewer.close",
        "short.close", "long.close", "HeartbeatSender.close", "Transport.close", "Database.close",
    ]  # fmt: skip
    assert world.renewer.stop_all.call_args == call(Stop.SHUTDOWN)
    assert world.mock.granted_drain.call_args == call(world.mock.redis_client.return_value, "worker-1")
    draining = {"event": "draining", "log_level": "info", "job_id": None, "grace_seconds": 40.0}
    assert logs == [draining, {"event": "worker stopped", "log_level": "info"}]


@pytest.mark.parametrize(
    ("granted", "given", "grace_s"), [(None, None, 40.0), (7.0, None, 7.0), (0.0, None, 0.0), (7.0, 3.0, 3.0)]
)
def test_the_running_job_has_the_time_that_was_granted(
    world: World, granted: float | None, given: float | None, grace_s: float
) -> None:
    world.mock.granted_drain.return_value = granted
    world.short.running = job(1.0)
    stopped: list[float] = []
    world.renewer.stop_all.side_effect = lambda _: stopped.append(world.now)
    world.passes(world.short)
    with capture_logs() as logs:
        world.worker.end(given)
    assert stopped == [pytest.approx(100 + grace_s, abs=0.11)]
    assert stopped[0] >= 100 + grace_s
    assert (logs[0]["job_id"], logs[0]["grace_seconds"]) == ("job since 1", grace_s)
    assert world.short.wait_idle.call_args == call(pytest.approx(HANDBACK_S)), "then it has time to hand it back"


def test_a_job_that_ends_meanwhile_ends_the_wait(world: World) -> None:
    world.passes(world.long, False, False, True, True)
    world.worker.end()
    assert world.now == pytest.approx(100 + 0.3 + HANDBACK_S)


def test_a_second_signal_ends_the_wait(world: World) -> None:
    world.passes(world.short)
    world.worker.end(at_once=lambda: world.now > 100.15)
    assert world.now == pytest.approx(100 + 0.2 + HANDBACK_S)


def test_where_redis_is_away_the_setting_says_how_long(world: World) -> None:
    world.mock.granted_drain.side_effect = redis.ConnectionError("away")
    with capture_logs() as logs:
        world.worker.end()
    message = "not known how long the job may take; the usual time"
    assert logs[:2] == [
        {"event": message, "log_level": "warning", "reason": "away"},
        {"event": "draining", "log_level": "info", "job_id": None, "grace_seconds": 40.0},
    ]


# The program


@pytest.fixture
def _signals() -> Iterator[None]:
    """The handlers of this process as they were."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_drains_and_the_second_ends_the_wait(number: signal.Signals) -> None:
    signals = Signals()
    for first, second in ((True, False), (True, True)):
        signal.raise_signal(number)
        assert (signals.first.is_set(), signals.second.is_set()) == (first, second)


class Program:
    """A worker that was started by its command: ``stops`` says when a signal came, ``dead`` who ended before."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.mock = Mock()
        self.stops: list[bool] = [True]
        self.dead: list[list[str]] = []
        self.mock.Signals.return_value.first.wait.side_effect = lambda _: self.stops.pop(0)
        self.worker = self.mock.WorkerService.return_value
        self.worker.dead.side_effect = lambda: self.dead.pop(0)
        for name in ("Settings", "configure_logging", "Signals", "WorkerService"):
            monkeypatch.setattr(main, name, getattr(self.mock, name))

    @property
    def ended(self) -> tuple[float | None, object]:
        (grace_s,), more = self.worker.end.call_args
        return grace_s, more["at_once"]


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Program:
    return Program(monkeypatch)


def test_it_works_until_a_signal_comes(program: Program) -> None:
    program.stops, program.dead = [False, False, True], [[], []]
    assert main.main() == 0
    settings, signals = program.mock.Settings.return_value, program.mock.Signals.return_value
    assert program.mock.configure_logging.call_args == call(settings)
    assert program.mock.WorkerService.call_args == call(settings)
    assert signals.first.wait.call_args_list == [call(LOOK_S)] * 3
    assert program.ended == (None, signals.second.is_set)
    assert [name for name, *_ in program.mock.mock_calls][:4] == [
        "Settings", "configure_logging", "Signals", "WorkerService",
    ]  # fmt: skip
    assert program.worker.start.call_count == 1


@pytest.mark.parametrize(
    ("dead", "grace_s"), [(["sweeper"], None), ([LEASE_RENEWER], 0.0), (["heartbeat", LEASE_RENEWER], 0.0)]
)
def test_it_ends_with_a_thread_that_it_cannot_do_without(
    program: Program, dead: list[str], grace_s: float | None
) -> None:
    program.stops, program.dead = [False, False], [[], dead]
    with capture_logs() as logs:
        assert main.main() == 1
    assert program.ended[0] == grace_s
    said = {"event": "threads have ended by themselves; the worker ends, too", "log_level": "error", "threads": dead}
    assert logs == [said]


@pytest.mark.parametrize("error", [OSError("address in use"), ValueError("no address")])
def test_where_it_cannot_start_one_sentence_says_why(program: Program, error: Exception) -> None:
    program.worker.start.side_effect = error
    with capture_logs() as logs:
        assert main.main() == 1
    assert logs == [{"event": "worker cannot start", "log_level": "error", "reason": str(error)}]
    assert not program.worker.end.called
