"""Which dead jobs are replayed, how fast, and what is said of those that are not."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.seen import Made, made, refusal, whole
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report
from tradebot_ops.operations.jobs import dead_letters
from tradebot_ops.progress import OnProgress, ProgressEvent
from tradebot_ops.settings import load_settings

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def dead(number: int, group: str = "f1", replays: int = 0) -> dict[str, Any]:
    error = {"type": "ValueError", "message": "no such symbol", "fingerprint": group, "fault": "job"}
    return {
        "id": f"job-{number}",
        "type": "backtest",
        "finished_at": "2026-11-26T11:00:00Z",
        "attempt": 3,
        "max_attempts": 3,
        "replays": replays,
        "worker": "worker-2",
        "peak_memory_bytes": 125 * 1024**2,
        "error": error,
    }


class Api:
    """The API with these dead jobs; those in ``gone`` are not dead when they are asked for."""

    def __init__(self, *jobs: dict[str, Any], gone: tuple[str, ...] = ()) -> None:
        self.dead, self.gone, self.calls = list(jobs), gone, list[tuple[str, bool]]()
        self.aside = list[str]()

    def jobs(
        self,
        state: str,
        job_type: str | None,
        limit: int,
        cursor: str | None = None,
        fingerprint: str | None = None,
        traceback: bool | None = None,
    ) -> dict[str, Any]:
        assert state == "dead"
        found = [job for job in self.dead if fingerprint in {None, job["error"]["fingerprint"]}]
        start = int(cursor or 0)
        return {
            "jobs": found[start : start + limit],
            "next": str(start + limit) if start + limit < len(found) else None,
        }

    def dead_groups(self) -> list[dict[str, Any]]:
        last = {"last_at": "2026-11-26T11:00:00Z", "fault": "job", "error_type": "ValueError", "message": "no symbol"}
        last |= {"fingerprint": "f1", "type": "backtest"}
        return [last | {"jobs": len(self.dead), "quarantined": "f1" in self.aside}] if self.dead else []

    def quarantined(self) -> list[dict[str, Any]]:
        return [{"name": name} for name in self.aside]

    def quarantine(self, name: str, reason: str) -> dict[str, Any]:
        self.aside.append(name)
        return {"name": name, "reason": reason}

    def lift_quarantine(self, name: str) -> bool:
        found = name in self.aside
        self.aside = [each for each in self.aside if each != name]
        return found

    def replay(self, job: str, *, again: bool) -> dict[str, Any] | None:
        self.calls.append((job, again))
        return None if job in self.gone else {}

    def remove_dead(self, job: str) -> None:
        self.calls.append((job, False))


def ops_with(api: Api, tmp_path: Path) -> Ops:
    settings = load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(tmp_path), "HOME": str(tmp_path)}, tmp_path)
    ops = Ops(settings, StubEngine("demo"), lambda: NOW)
    ops.__dict__["api"] = api
    return ops


def said(report: Report) -> str:
    return " ".join(line for section in report.sections for line in section.lines)


def test_a_group_is_replayed_page_by_page_at_the_rate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letters, "PAGE", 2)
    api, pauses = Api(*(dead(n) for n in range(5)), dead(9, "f2")), list[float]()
    report = dead_letters.replay(ops_with(api, tmp_path), [], group="f1", rate=5, sleep=pauses.append)
    assert api.calls == [(f"job-{n}", False) for n in range(5)]
    assert pauses == [0.2] * 4
    assert said(report) == "5 jobs were queued again."


def test_what_died_after_a_replay_is_left_out_and_said(tmp_path: Path) -> None:
    api = Api(dead(1), dead(2, replays=1), dead(3), gone=("job-3",))
    report = dead_letters.replay(ops_with(api, tmp_path), [], every=True, sleep=lambda _: None)
    assert report.data == {"replayed": ["job-1"], "left_out": ["job-2", "job-3"]}
    assert said(report).startswith("1 job was queued again. 2 jobs were left out: dead again after a replay")
    again = Api(dead(2, replays=1))
    dead_letters.replay(ops_with(again, tmp_path), [], every=True, again=True)
    assert again.calls == [("job-2", True)]


def test_a_dry_run_does_nothing(tmp_path: Path) -> None:
    api = Api(dead(1), dead(2))
    assert "2 jobs would be queued again" in said(
        dead_letters.replay(ops_with(api, tmp_path), [], every=True, dry_run=True)
    )
    assert api.calls == []


@pytest.mark.parametrize(
    "named", [{"jobs": []}, {"jobs": ["1"], "every": True}, {"jobs": [], "group": "f", "every": True}]
)
def test_what_is_meant_must_be_said_once(named: dict[str, Any], tmp_path: Path) -> None:
    ops, agreed = ops_with(Api(), tmp_path), list[str]()
    for verb in (dead_letters.replay, lambda *a, **k: dead_letters.purge(*a, **k, confirm=agreed.append)):
        with pytest.raises(OpsError, match="Say which dead jobs to") as caught:
            verb(ops, **named)
        assert (caught.value.code, caught.value.exit_code) == ("TB-0290", 2)
    assert agreed == []


@pytest.mark.parametrize("name", ["f2", "sweep"])
def test_what_is_in_quarantine_is_left_out_of_all_but_not_of_its_group(name: str, tmp_path: Path) -> None:
    api = Api(dead(1), dead(2, "f2") | {"type": "sweep"})
    ops = ops_with(api, tmp_path)
    assert said(dead_letters.quarantine(ops, name, "known", lift=False)).startswith(f"{name} is in quarantine: ")
    dead_letters.replay(ops, [], every=True, sleep=lambda _: None)
    dead_letters.replay(ops, [], group="f2", sleep=lambda _: None)
    assert api.calls == [("job-1", False), ("job-2", False)]
    assert "in quarantine no more" in said(dead_letters.quarantine(ops, name, "", lift=True))
    with pytest.raises(OpsError, match=f"{name} is not in quarantine") as caught:
        dead_letters.quarantine(ops, name, "", lift=True)
    assert caught.value.code == "TB-0292"


def test_a_purge_asks_before_it_removes(tmp_path: Path) -> None:
    def refuse(warning: str) -> None:
        assert warning == "2 jobs will be removed for good."
        raise OpsError(warning, code="TB-0902")

    api = Api(dead(1), dead(2))
    with pytest.raises(OpsError):
        dead_letters.purge(ops_with(api, tmp_path), [], every=True, confirm=refuse)
    assert api.calls == []
    dead_letters.purge(ops_with(api, tmp_path), [], every=True, confirm=lambda _: None)
    assert api.calls == [("job-1", False), ("job-2", False)]


def test_the_tables_name_whose_fault_and_which_group(tmp_path: Path) -> None:
    ops = ops_with(Api(dead(1)), tmp_path)
    ((row,),) = (table.rows for table in dead_letters.list_dead(ops, None, None, 20).sections[0].tables)
    assert row == ("job-1", "backtest", "60 min", "3/3", "job", "f1", "worker-2", "125 MB", "no such symbol")
    ((group,),) = (table.rows for table in dead_letters.summary(ops).sections[0].tables)
    assert group == ("f1", "1", "backtest", "60 min", "job", "", "ValueError: no symbol")
    nothing = ops_with(Api(), tmp_path)
    assert (
        said(dead_letters.summary(nothing))
        == said(dead_letters.list_dead(nothing, None, None, 20))
        == "No job is dead."
    )


def test_all_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion) -> None:
    events: list[ProgressEvent] = []
    api = Api(dead(1), dead(2, replays=1) | {"peak_memory_bytes": None, "worker": None}, gone=("job-1",))
    ops = ops_with(api, tmp_path)
    said = [
        dead_letters.summary(ops),
        dead_letters.list_dead(ops, None, None, 1),
        dead_letters.list_dead(ops, "f1", None, 20),
        dead_letters.replay(ops, [], every=True, sleep=lambda _: None, on_progress=events.append),
        dead_letters.replay(ops, [], group="f1", again=True, sleep=lambda _: None, on_progress=events.append),
        dead_letters.quarantine(ops, "f1", "known", lift=False),
        dead_letters.summary(ops),
        dead_letters.quarantine(ops, "f1", "", lift=True),
        dead_letters.purge(ops, [], group="f1", confirm=lambda _: None),
    ]
    assert "\n\n".join([*map(whole, said), *map(str, events)]) == snapshot


def test_each_refusal_says_what_to_type(tmp_path: Path) -> None:
    ops = ops_with(Api(), tmp_path)
    for act, expected in (
        (
            lambda: dead_letters.replay(ops, []),
            (
                "TB-0290",
                "Say which dead jobs to replay: their ids, one group, or all of them.",
                "tradebot dlq summary; then an id, --group GROUP or --all",
            ),
        ),
        (
            lambda: dead_letters.quarantine(ops, "f1", "", lift=True),
            ("TB-0292", "f1 is not in quarantine.", "tradebot dlq summary"),
        ),
    ):
        with pytest.raises(OpsError) as caught:
            act()
        assert refusal(caught.value) == expected


def test_the_audit_log_names_what_was_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def act(heard: OnProgress) -> None:
        ops = ops_with(Api(dead(1), dead(2)), tmp_path)
        for named in ({"jobs": ["job-1", "job-2"]}, {"jobs": [], "group": "f1"}, {"jobs": [], "every": True}):
            words: dict[str, Any] = {**named, "on_progress": heard}
            dead_letters.replay(ops, **words, sleep=lambda _: None)
            dead_letters.purge(ops, **words, confirm=lambda _: None)
        dead_letters.quarantine(ops, "f1", "", lift=False, on_progress=heard)

    assert made(monkeypatch, act) == [
        *(
            Made((f"dlq {verb}", meant), leased=False)
            for meant in ("job-1 job-2", "f1", "all")
            for verb in ("replay", "purge")
        ),
        Made(("dlq quarantine", "f1"), leased=False),
    ]
