"""What is said of types of jobs as queues, and what is asked of the API."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.seen import Made, made, refusal, whole
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.jobs import queue
from tradebot_ops.progress import OnProgress, ProgressEvent
from tradebot_ops.settings import load_settings

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
IDLE = {
    "type": "sweep",
    "waiting": 0,
    "scheduled": 0,
    "retrying": 0,
    "running": 0,
    "dead": 0,
    "oldest_at": None,
    "paused": False,
    "closed": False,
    "max_running": None,
    "reason": "",
    "by": None,
    "at": None,
}
SET = {"reason": "exchange is down", "by": "anna", "at": "2026-11-27T11:55:00Z"}
BUSY = IDLE | {"waiting": 12, "oldest_at": "2026-11-27T11:00:00Z", "running": 2, "retrying": 1, "scheduled": 3}


class Api:
    """``states`` is what each question about the queues is answered with, the last one for ever."""

    def __init__(self, *states: dict[str, Any], batches: tuple[int, ...] = ()) -> None:
        self.states, self.batches, self.asked = list(states), list(batches), list[Any]()

    def queues(self) -> list[dict[str, Any]]:
        return [self.states.pop(0) if len(self.states) > 1 else self.states[0]]

    def change_queue(self, job_type: str, **changes: Any) -> dict[str, Any]:
        self.asked.append((job_type, changes))
        return self.states[0] | {name: value for name, value in changes.items() if name != "reason"}

    def purge_queue(self, job_type: str, reason: str) -> dict[str, Any]:
        self.asked.append((job_type, reason))
        return {"jobs": self.batches.pop(0), "complete": not self.batches}


def ops_with(api: Api, tmp_path: Path, **given: object) -> Ops:
    environ = {"TRADEBOT_STATE": str(tmp_path), "HOME": str(tmp_path)}
    ops = Ops(load_settings({"project": "demo", **given}, environ, tmp_path), StubEngine("demo"), lambda: NOW)
    ops.__dict__["api"] = api
    return ops


def said(report: Any) -> str:
    return str(report.sections[0].lines[0])


def test_each_type_has_its_row_and_what_was_set_its_line(tmp_path: Path) -> None:
    held = BUSY | SET | {"paused": True, "max_running": 4}
    report = queue.status(ops_with(Api(held), tmp_path))
    assert report.sections[0].tables[0].rows == (("sweep", "12", "60 min", "2 of 4", "1", "3", "0", "paused"),)
    assert report.sections[1].lines == (
        "sweep paused and limited to 4 by anna 5 min ago: exchange is down. tradebot queue resume sweep",
    )
    assert len(queue.status(ops_with(Api(IDLE), tmp_path)).sections) == 1


def test_pause_and_resume_say_what_follows(tmp_path: Path) -> None:
    api = Api(BUSY)
    assert said(queue.pause(ops_with(api, tmp_path), "sweep", "why")) == (
        "sweep is paused: no job of it starts. 2 jobs still run."
    )
    assert said(queue.resume(ops_with(api, tmp_path), "sweep")) == "sweep takes jobs and starts them."
    assert api.asked == [
        ("sweep", {"paused": True, "reason": "why"}),
        ("sweep", {"paused": False, "closed": False}),
    ]


@pytest.mark.parametrize(
    ("most", "sentence"),
    [
        ("1", "Of sweep no more than 1 at a time run from now on; 2 run now."),
        ("3", "Of sweep no more than 3 at a time run from now on; 2 run now."),
        ("none", "sweep has no limit of yours any more."),
    ],
)
def test_a_limit(tmp_path: Path, most: str, sentence: str) -> None:
    api = Api(BUSY)
    assert said(queue.limit(ops_with(api, tmp_path), "sweep", most)) == sentence
    assert api.asked == [("sweep", {"max_running": None if most == "none" else int(most)})]


@pytest.mark.parametrize("most", ["0", "-1", "x", "", "10001", "1.5", "²"])
def test_what_is_no_limit(tmp_path: Path, most: str) -> None:
    with pytest.raises(OpsError) as raised:
        queue.limit(ops_with(Api(IDLE), tmp_path), "sweep", most)
    assert raised.value.code == "TB-0245"


def test_a_drain_waits_until_nothing_waits_or_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "POLL_S", 0)
    api = Api(BUSY, BUSY, IDLE | {"running": 1}, IDLE | {"scheduled": 3})
    assert "sweep is drained and takes no new jobs. 3 jobs wait for a later time." in said(
        queue.drain(ops_with(api, tmp_path), "sweep", "upgrade")
    )
    assert api.asked == [("sweep", {"closed": True, "reason": "upgrade"})]


def test_a_drain_that_takes_too_long_says_what_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "POLL_S", 0)
    with pytest.raises(OpsError, match="15 jobs of sweep are not over") as raised:
        queue.drain(ops_with(Api(BUSY), tmp_path, timeout=0.01), "sweep", "")
    assert raised.value.code == "TB-0608"


def test_a_paused_type_cannot_drain(tmp_path: Path) -> None:
    api = Api(BUSY | {"paused": True})
    with pytest.raises(OpsError, match="is paused"):
        queue.drain(ops_with(api, tmp_path), "sweep", "")
    assert api.asked == []


def test_a_purge_goes_on_until_all_are_cancelled(tmp_path: Path) -> None:
    api, warnings = Api(BUSY, batches=(10, 6)), list[str]()
    report = queue.purge(ops_with(api, tmp_path), "sweep", "why", dry_run=False, confirm=warnings.append)
    assert warnings == ["16 jobs of sweep will be cancelled."]
    assert (said(report), report.data) == ("16 jobs of sweep were cancelled.", {"jobs": 16, "cancelled": 16})
    assert api.asked == [("sweep", "why")] * 2


def test_a_dry_purge_asks_nothing_and_does_nothing(tmp_path: Path) -> None:
    api = Api(BUSY)
    report = queue.purge(ops_with(api, tmp_path), "sweep", "", dry_run=True, confirm=pytest.fail)
    assert (said(report), api.asked) == ("16 jobs of sweep would be cancelled; nothing was done.", [])


def test_an_unknown_type(tmp_path: Path) -> None:
    with pytest.raises(OpsError, match="There is no job type 'swep'") as raised:
        queue.pause(ops_with(Api(IDLE), tmp_path), "swep", "")
    assert (raised.value.code, "Did you mean `sweep`" in raised.value.hint) == ("TB-0226", True)


def test_all_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion) -> None:
    monkeypatch.setattr(queue, "POLL_S", 0)
    events: list[ProgressEvent] = []
    closed = IDLE | SET | {"type": "other", "closed": True, "reason": ""}
    limited = IDLE | SET | {"type": "third", "max_running": 4}
    busy = ops_with(Api(BUSY, batches=(10, 6)), tmp_path)
    done = ops_with(Api(BUSY, BUSY, IDLE | {"running": 1}, IDLE | {"scheduled": 1}), tmp_path)
    none = ops_with(Api(IDLE), tmp_path)
    several = Api()
    monkeypatch.setattr(several, "queues", lambda: [BUSY | SET | {"paused": True, "closed": True}, closed, limited])
    said = [
        queue.status(ops_with(several, tmp_path)),
        queue.pause(none, "sweep", ""),
        queue.resume(none, "sweep"),
        queue.limit(busy, "sweep", "none"),
        queue.drain(done, "sweep", "upgrade", events.append),
        queue.purge(busy, "sweep", "", dry_run=True, confirm=pytest.fail),
        queue.purge(none, "sweep", "", dry_run=False, confirm=pytest.fail),
        queue.purge(busy, "sweep", "", dry_run=False, confirm=lambda _: None, on_progress=events.append),
    ]
    assert "\n\n".join([*map(whole, said), *map(str, events)]) == snapshot


def test_each_refusal_says_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "POLL_S", 0)
    for act, expected in (
        (
            lambda: queue.limit(ops_with(Api(IDLE), tmp_path), "sweep", "many"),
            (
                "TB-0245",
                "'many' is not a number of jobs.",
                "tradebot queue limit sweep 2, or none; to let none run: tradebot queue pause sweep",
            ),
        ),
        (
            lambda: queue.drain(ops_with(Api(IDLE | {"paused": True}), tmp_path), "sweep", ""),
            ("TB-0909", "sweep is paused, so that its jobs never end.", "tradebot queue resume sweep"),
        ),
        (
            lambda: queue.drain(ops_with(Api(IDLE | {"running": 1}), tmp_path, timeout=0.01), "sweep", ""),
            (
                "TB-0608",
                "1 job of sweep is not over after 0.01 s; it stays closed.",
                "tradebot queue drain sweep, tradebot queue purge sweep, or take it back: tradebot queue resume sweep",
            ),
        ),
    ):
        with pytest.raises(OpsError) as caught:
            act()
        assert refusal(caught.value) == expected


def test_the_audit_log_has_each_change_without_a_lease(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lease is for what the engine changes: a queue may be paused while an `up` goes on."""

    def act(heard: OnProgress) -> None:
        ops = ops_with(Api(IDLE | {"waiting": 0, "scheduled": 1}, batches=(1,)), tmp_path)
        queue.pause(ops, "sweep", "", heard)
        queue.resume(ops, "sweep", heard)
        queue.limit(ops, "sweep", "2", heard)
        queue.drain(ops, "sweep", "", heard)
        queue.purge(ops, "sweep", "", dry_run=False, confirm=lambda _: None, on_progress=heard)

    assert made(monkeypatch, act) == [
        Made((f"queue {verb}", "sweep"), leased=False) for verb in ("pause", "resume", "limit", "drain", "purge")
    ]


def test_the_types_that_there_are_are_named_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api(IDLE)
    monkeypatch.setattr(api, "queues", lambda: [IDLE | {"type": name} for name in ("c", "a", "d", "b")])
    with pytest.raises(OpsError) as raised:
        queue.pause(ops_with(api, tmp_path), "zzzzzz", "")
    assert raised.value.hint == "Known: a, b, c, d."
