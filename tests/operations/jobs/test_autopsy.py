"""What an operator reads first of a dead job."""

from pathlib import Path
from typing import Any

import pytest

from tests.operations.jobs.test_dead_letters import Api, dead, ops_with
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.jobs import autopsy

DETAIL = {"state": "dead", "kills": 1, "deferrals": 0, "payload": {"symbol": "NOSUCH", "end": None}}
ID = "job-1-that-is-too-long-for-the-beginning-of-an-id"


class One(Api):
    def job(self, job_id: str) -> dict[str, Any]:
        (job,) = (each for each in self.dead if each["id"] == job_id)
        return job


def detailed(**more: Any) -> dict[str, Any]:
    job = dead(1) | DETAIL | {"id": ID} | more
    return job | {"error": job["error"] | {"traceback": "Traceback:\n  File x"}}


def test_fault_group_and_next_steps(tmp_path: Path) -> None:
    report = autopsy.show(ops_with(One(detailed(), dead(2)), tmp_path), ID)
    facts, why, following = report.sections
    assert {row[0]: row[1] for row in facts.tables[0].rows} == {
        "job": ID,
        "type": "backtest",
        "fault": "the job's own: its input, its code, or what it asks for",
        "died": "60 min ago",
        "attempts": "3 of 3",
        "workers lost": "1",
        "last worker": "worker-2",
        "peak memory": "125 MB",
        "payload": "symbol=NOSUCH",
        "group": "f1",
        "died alike": "2 jobs",
    }
    assert why.lines == ("ValueError: no such symbol.", "Traceback:", "  File x")
    assert following.lines == (
        f"What its workers logged: tradebot jobs logs {ID}",
        f"Once the cause is gone: tradebot dlq replay {ID}",
        "All that died alike: tradebot dlq replay --group f1 --rate 5",
        f"If it is of no use any more: tradebot dlq purge {ID}",
    )


def test_one_that_died_after_a_replay_needs_again(tmp_path: Path) -> None:
    lines = autopsy.show(ops_with(One(detailed(replays=1)), tmp_path), ID).sections[2].lines
    assert f"Once the cause is gone: tradebot dlq replay {ID} --again" in lines


def test_one_that_lives_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OpsError, match="is running, not dead") as caught:
        autopsy.show(ops_with(One(detailed(state="running")), tmp_path), ID)
    assert (caught.value.code, caught.value.hint) == ("TB-0293", f"tradebot jobs show {ID}")


def test_what_is_not_known_of_it_has_no_row(tmp_path: Path) -> None:
    bare = detailed(peak_memory_bytes=None, worker=None, kills=0, deferrals=2, payload={})
    facts, why, _ = autopsy.show(ops_with(One(bare), tmp_path), ID).sections
    assert [row[0] for row in facts.tables[0].rows] == [
        "job", "type", "fault", "died", "attempts", "given back", "group", "died alike",
    ]  # fmt: skip
    assert (why.title, facts.tables[0].rows[-1]) == ("Why", ("died alike", "1 job"))
