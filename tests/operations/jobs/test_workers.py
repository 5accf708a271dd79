"""The list of workers, and orders to them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.seen import Made, made, refusal, whole
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Replica, State
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.jobs import workers
from tradebot_ops.progress import OnProgress, Phase, ProgressEvent
from tradebot_ops.settings import load_settings

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
JOB = "0198a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b"
IDLE: Mapping[str, Any] = {
    "name": "worker-1",
    "state": "idle",
    "job_id": None,
    "job_type": None,
    "job_since": None,
    "age_s": 0.4,
    "memory_bytes": 80 * 1024**2,
    "version": "1.2",
    "order": None,
}
ORDER = {"drain": True, "by": "ana@host", "reason": "memory", "at": "2026-11-27T11:00:00Z"}
BUSY = {**IDLE, "state": "busy", "job_id": JOB, "job_type": "sweep", "job_since": "2026-11-27T11:55:00Z"}


class Api:
    def __init__(self, *heard: Mapping[str, Any]) -> None:
        self.heard, self.told = heard, list[tuple[str, str, str]]()

    def workers(self) -> list[dict[str, Any]]:
        return [dict(each) for each in self.heard]

    def drain_worker(self, name: str, reason: str) -> None:
        self.told.append(("drain", name, reason))

    def resume_worker(self, name: str, reason: str) -> None:
        self.told.append(("resume", name, reason))


class Engine(StubEngine):
    def __init__(self, *replicas: Replica) -> None:
        super().__init__("demo")
        self.replicas = replicas

    def list(self) -> tuple[Replica, ...]:
        return self.replicas


def replica(number: int, state: State = State.RUNNING, *, up_s: float = 3600) -> Replica:
    started = NOW - timedelta(seconds=up_s)
    return Replica("worker", number, f"{number}c0ffee{'0' * 20}", f"demo-worker-{number}", state, started_at=started)


def ops_with(tmp_path: Path, api: Api, *replicas: Replica, timeout: str = "60") -> Ops:
    settings = load_settings(
        {"project": "demo", "timeout": timeout}, {"TRADEBOT_STATE": str(tmp_path), "HOME": str(tmp_path)}, tmp_path
    )
    ops = Ops(settings, Engine(*replicas), lambda: NOW)
    ops.__dict__["api"] = api
    return ops


@pytest.mark.parametrize(
    ("found", "age_s", "expected"),
    [
        (replica(1), 0.4, "idle"),
        (replica(1), 6.0, "hung"),
        (replica(1), 5.0, "idle"),
        (replica(1), None, "hung"),
        (replica(1, up_s=19), None, "starting"),
        (replica(1, up_s=21), None, "hung"),
        (replica(1, up_s=3), None, "starting"),
        # A heartbeat of the container that was there before says nothing of this one.
        (replica(1, up_s=3), 6.0, "hung"),
        (replica(1, State.EXITED), 0.4, "exited"),
        (replica(1, State.RESTARTING), None, "restarting"),
        (replace(replica(1), started_at=None), None, "hung"),
    ],
)
def test_the_state_of_one(found: Replica, age_s: float | None, expected: str) -> None:
    beat = None if age_s is None else {**IDLE, "age_s": age_s}
    assert workers.state_of(found, beat, NOW) == expected


def test_the_list_says_what_each_does_and_what_to_type(tmp_path: Path) -> None:
    drained = {**IDLE, "name": "2c0ffee00000", "state": "drained", "order": ORDER}
    stranger = {**IDLE, "name": "worker-9"}
    api = Api(BUSY, drained, stranger)
    report = workers.list_(
        ops_with(tmp_path, api, replica(3), replica(2), replica(4, State.EXITED), replica(1), replica(5, up_s=1))
    )
    assert report.sections[0].tables[0].rows == (
        ("worker-1", "busy", "0198a1b2", "sweep", "5 min", "400 ms", "80 MB", "1.2"),
        ("worker-2", "drained", "", "", "", "400 ms", "80 MB", "1.2"),
        ("worker-3", "hung", "", "", "", "", "", ""),
        ("worker-4", "exited", "", "", "", "", "", ""),
        ("worker-5", "starting", "", "", "", "", "", ""),
        ("worker-9", "unknown", "", "", "", "400 ms", "80 MB", "1.2"),
    )
    assert report.sections[1].lines == (
        "worker-2 takes no jobs, says ana@host (memory): tradebot workers resume worker-2",
        "worker-3 runs and is silent, it hangs: tradebot workers kill worker-3",
        "worker-4 does not run: tradebot start worker-4",
        "worker-9 is heard, and is no replica of this project: tradebot ls",
    )
    assert isinstance(report.data, list)
    assert [each["heard_as"] for each in report.data[:2]] == ["worker-1", "2c0ffee00000"]
    assert workers.list_(ops_with(tmp_path, Api())).sections[0].lines == (workers.NONE,)


@pytest.mark.parametrize("typed", ["worker-1", "1", "demo-worker-1"])
def test_a_busy_worker_is_told_to_drain(tmp_path: Path, typed: str) -> None:
    api = Api(BUSY, {**IDLE, "name": "worker-2"})
    report = workers.drain(ops_with(tmp_path, api, replica(1), replica(2)), typed, "memory")
    assert api.told == [("drain", "worker-1", "memory")]
    assert report.warnings == ()
    assert report.sections[0].lines == (
        f"worker-1 takes no more jobs. Its job goes on: tradebot jobs watch {JOB}",
        "Let it take jobs again: tradebot workers resume worker-1",
    )


@pytest.mark.parametrize(
    ("other", "warned"),
    [
        ({**IDLE, "state": "drained", "order": ORDER}, True),
        ({**BUSY, "state": "draining"}, True),
        ({**IDLE, "age_s": 60.0}, True),
        (IDLE, False),
        (BUSY, False),
    ],
)
def test_whoever_drains_the_last_one_is_warned(tmp_path: Path, other: dict[str, Any], warned: bool) -> None:
    api = Api(IDLE, {**other, "name": "worker-2"})
    report = workers.drain(ops_with(tmp_path, api, replica(1), replica(2)), "1", "")
    assert report.warnings == ("No worker takes jobs now: those that are submitted wait.",) * warned


def test_whoever_waits_learns_when_the_job_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draining, drained = {**BUSY, "state": "draining"}, {**IDLE, "state": "drained"}
    answers = iter([[BUSY], [draining], [draining], [drained]])
    api, seen = Api(), list[ProgressEvent]()
    monkeypatch.setattr(api, "workers", lambda: next(answers))
    monkeypatch.setattr(workers, "POLL_S", 0.0)
    report = workers.drain(ops_with(tmp_path, api, replica(1)), "1", "", wait=True, on_progress=seen.append)
    assert report.sections[0].lines[0] == "worker-1 is drained: it has no job and takes none."
    assert [each.detail for each in seen if each.phase is Phase.STARTING] == [f"job {JOB}"] * 2
    assert next(answers, None) is None


def test_a_worker_that_ends_while_it_drains_has_no_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([[BUSY], []])
    api = Api()
    monkeypatch.setattr(api, "workers", lambda: next(answers))
    report = workers.drain(ops_with(tmp_path, api, replica(1)), "1", "", wait=True)
    assert report.sections[0].lines[0] == "worker-1 has ended, and has no job."


def test_whoever_waits_too_long_learns_what_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "POLL_S", 0.0)
    ops = ops_with(tmp_path, Api({**BUSY, "state": "draining"}), replica(1), timeout="0.01")
    with pytest.raises(OpsError) as raised:
        workers.drain(ops, "1", "", wait=True)
    assert raised.value.message == (
        f"worker-1 is not drained after 0.01 s; it takes no more jobs. Its job goes on: tradebot jobs watch {JOB}"
    )
    assert (raised.value.code, raised.value.hint) == ("TB-0609", "tradebot workers drain worker-1 --wait")


def test_one_is_told_to_take_jobs_again(tmp_path: Path) -> None:
    api = Api({**IDLE, "state": "drained", "order": ORDER})
    report = workers.resume(ops_with(tmp_path, api, replica(1)), "worker-1", "done")
    assert api.told == [("resume", "worker-1", "done")]
    assert report.sections[0].lines == ("worker-1 takes jobs again.",)
    as_before = workers.resume(ops_with(tmp_path, Api(IDLE), replica(1)), "worker-1", "")
    assert as_before.sections[0].lines == ("worker-1 takes jobs, as before.",)
    resumed = {**IDLE, "order": {**ORDER, "drain": False}}
    again = workers.resume(ops_with(tmp_path, Api(resumed), replica(1)), "worker-1", "")
    assert again.sections[0].lines == ("worker-1 takes jobs, as before.",), "the order that stands is to take jobs"


def test_replicas_of_other_services_are_no_workers(tmp_path: Path) -> None:
    other = replace(replica(1), service="api", name="demo-api-1")
    assert workers.list_(ops_with(tmp_path, Api(), other)).sections[0].lines == (workers.NONE,)
    with pytest.raises(OpsError, match="no worker '1'"):
        workers.chosen(ops_with(tmp_path, Api(), other), "1")


def test_one_that_cannot_hear_is_not_told(tmp_path: Path) -> None:
    api = Api(IDLE)
    with pytest.raises(OpsError, match="worker-2 is hung") as raised:
        workers.drain(ops_with(tmp_path, api, replica(1), replica(2)), "worker-2", "")
    assert (raised.value.code, raised.value.hint) == ("TB-0229", "tradebot workers kill worker-2")
    with pytest.raises(OpsError, match="Did you mean `worker-1`") as raised:
        workers.drain(ops_with(tmp_path, api, replica(1)), "worker-l", "")
    assert raised.value.code == "TB-0235"
    assert api.told == []


def test_all_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion) -> None:
    monkeypatch.setattr(workers, "POLL_S", 0.0)
    events: list[ProgressEvent] = []
    drained = {**IDLE, "name": "worker-2", "state": "drained", "order": ORDER}
    replicas = (replica(2), replica(1), replica(3, State.FAILED))
    ops = ops_with(tmp_path, Api(BUSY, drained, {**IDLE, "name": "worker-9"}), *replicas)
    answers = iter([[BUSY, drained], [{**BUSY, "job_id": None}], [{**IDLE, "state": "drained"}]])
    waited = ops_with(tmp_path, Api(), *replicas)
    monkeypatch.setattr(waited.api, "workers", lambda: next(answers))
    said = [
        workers.list_(ops),
        workers.drain(ops, "1", "memory"),
        workers.drain(waited, "1", "memory", wait=True, on_progress=events.append),
        workers.resume(ops, "1", "done"),
        workers.resume(ops, "2", "done"),
    ]
    assert "\n\n".join([*map(whole, said), *map(str, events)]) == snapshot


def test_the_audit_log_has_each_order_without_a_lease(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def act(heard: OnProgress) -> None:
        ops = ops_with(tmp_path, Api(IDLE), replica(1))
        workers.drain(ops, "1", "", on_progress=heard)
        workers.resume(ops, "1", "", heard)

    assert made(monkeypatch, act) == [
        Made(("workers drain", "worker-1"), leased=False),
        Made(("workers resume", "worker-1"), leased=False),
    ]


def test_each_refusal_says_what_to_type(tmp_path: Path) -> None:
    ops = ops_with(tmp_path, Api(IDLE), replica(1), replica(2, up_s=1), replica(3))
    for typed, expected in (
        ("worker2", ("TB-0235", "There is no worker 'worker2'. Did you mean `worker-2`?", "tradebot workers list")),
        ("x", ("TB-0235", "There is no worker 'x'.", "tradebot workers list")),
        (
            "2",
            (
                "TB-0229",
                "worker-2 is starting and sends no heartbeat, so that no order reaches it.",
                "tradebot workers list",
            ),
        ),
        (
            "3",
            (
                "TB-0229",
                "worker-3 is hung and sends no heartbeat, so that no order reaches it.",
                "tradebot workers kill worker-3",
            ),
        ),
    ):
        with pytest.raises(OpsError) as caught:
            workers.drain(ops, typed, "")
        assert refusal(caught.value) == expected
