"""Figures, jobs of vanished workers, and what is forgotten: what is asked for, and what is said of it."""

from pathlib import Path
from typing import Any

import pytest

from tests.operations.jobs.test_dead_letters import ops_with, said
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.jobs import upkeep

DAY = 86_400.0
FIGURES = {
    "type": "backtest",
    "jobs": 8,
    "succeeded": 6,
    "dead": 2,
    "cancelled": 0,
    "took_median_s": 0.5,
    "took_p95_s": 2.0,
    "waited_median_s": None,
    "waited_p95_s": None,
    "peak_memory_bytes": 125 * 1024**2,
}


class Api:
    """Has so many old jobs, and removes them two at a time."""

    def __init__(self, old: int = 0, lost: tuple[dict[str, str], ...] = (), *, complete: bool = True) -> None:
        self.old, self.lost, self.complete = old, list(lost), complete
        self.asked = list[Any]()

    def prunable(self, older_than_s: float, states: tuple[str, ...]) -> int:
        self.asked.append((older_than_s, states))
        return self.old

    def prune(self, older_than_s: float, states: tuple[str, ...]) -> dict[str, Any]:
        self.asked.append((older_than_s, states))
        batch = min(self.old, 2)
        self.old -= batch
        return {"jobs": batch, "more": batch == 2}

    def recover(self) -> list[dict[str, str]]:
        return self.lost

    def job_stats(self, job_type: str | None, since_s: float) -> dict[str, Any]:
        self.asked.append((job_type, since_s))
        return {"types": [FIGURES] if job_type != "none" else [], "complete": self.complete}


def refuse(warning: str) -> None:
    raise OpsError(warning, code="TB-0902")


def test_old_jobs_are_removed_batch_by_batch(tmp_path: Path) -> None:
    api, warnings = Api(5), list[str]()
    ops = ops_with(api, tmp_path)  # type: ignore[arg-type]
    report = upkeep.prune(ops, "30d", [], dry_run=False, confirm=warnings.append)
    assert (said(report), api.old, warnings) == ("5 jobs were removed.", 0, ["5 jobs will be removed for good."])
    assert set(api.asked) == {(30 * DAY, ("succeeded", "cancelled"))}


def test_a_dry_run_and_a_refusal_remove_nothing(tmp_path: Path) -> None:
    api = Api(1)
    ops = ops_with(api, tmp_path)  # type: ignore[arg-type]
    report = upkeep.prune(ops, "1w", ["dead"], dry_run=True, confirm=refuse)
    assert said(report) == "1 job would be removed; nothing was done."
    with pytest.raises(OpsError):
        upkeep.prune(ops, "1w", ["dead"], dry_run=False, confirm=refuse)
    assert (api.old, set(api.asked)) == (1, {(7 * DAY, ("dead",))})


@pytest.mark.parametrize("age", ["soon", "30", "2027-01-01", "0d"])
def test_an_age_that_is_none_is_refused(age: str, tmp_path: Path) -> None:
    with pytest.raises(OpsError) as caught:
        upkeep.prune(ops_with(Api(1), tmp_path), age, [], dry_run=False, confirm=refuse)  # type: ignore[arg-type]
    assert caught.value.code == "TB-0204"


def test_figures_as_a_table(tmp_path: Path) -> None:
    api = Api(complete=False)
    ops = ops_with(api, tmp_path)  # type: ignore[arg-type]
    report = upkeep.stats(ops, None, "2h")
    assert api.asked == [(None, 7200.0)]
    assert report.sections[0].tables[0].rows == (("backtest", "8", "25.0 %", "500 ms", "2 s", "–", "–", "125 MB"),)
    assert "There were more jobs" in said(report)
    assert said(upkeep.stats(ops, "none", "1d")) == "No job has ended since 1d."


def test_jobs_of_vanished_workers_are_named(tmp_path: Path) -> None:
    lost = {"id": "1", "type": "sweep", "worker": "worker-9"}
    report = upkeep.recover(ops_with(Api(lost=(lost,)), tmp_path))  # type: ignore[arg-type]
    assert report.sections[0].tables[0].rows == (("1", "sweep", "worker-9"),)
    assert said(report) == "1 job was given to other workers."
    assert said(upkeep.recover(ops_with(Api(), tmp_path))).startswith("Every running job has its worker")  # type: ignore[arg-type]
