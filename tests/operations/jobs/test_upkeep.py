"""Figures, jobs of vanished workers, and what is forgotten: what is asked for, and what is said of it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.jobs.test_dead_letters import ops_with, said
from tests.operations.seen import Made, made, whole
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import LogQuery
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.jobs import upkeep
from tradebot_ops.operations.logs import Entry
from tradebot_ops.operations.select import chosen_replicas
from tradebot_ops.progress import OnProgress, ProgressEvent

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


def test_all_that_is_said(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    events: list[ProgressEvent] = []
    ops = ops_with(Api(3, ({"id": "1", "type": "sweep", "worker": "worker-9"},)), tmp_path)  # type: ignore[arg-type]
    said = [
        upkeep.stats(ops, None, "2h"),
        upkeep.stats(ops, "none", "2h"),
        upkeep.stats(ops_with(Api(complete=False), tmp_path), "backtest", "2h"),  # type: ignore[arg-type]
        upkeep.recover(ops),
        upkeep.recover(ops_with(Api(), tmp_path)),  # type: ignore[arg-type]
        upkeep.prune(ops, "30d", [], dry_run=True, confirm=refuse),
        upkeep.prune(ops, "30d", [], dry_run=False, confirm=lambda _: None, on_progress=events.append),
        upkeep.prune(ops, "30d", [], dry_run=False, confirm=refuse),
    ]
    assert "\n\n".join([*map(whole, said), *map(str, events)]) == snapshot


def test_the_audit_log_has_each_change_without_a_lease(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def act(heard: OnProgress) -> None:
        ops = ops_with(Api(3), tmp_path)  # type: ignore[arg-type]
        upkeep.prune(ops, "30d", ["dead"], dry_run=False, confirm=lambda _: None, on_progress=heard)
        upkeep.recover(ops, heard)

    assert made(monkeypatch, act) == [
        Made(("jobs prune", "30d", "dead"), leased=False),
        Made(("jobs recover",), leased=False),
    ]


def test_the_lines_of_a_job_are_those_of_api_and_workers_since_a_minute_before_it_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    (tmp_path / "compose.yaml").write_text(
        "services:\n  api: {image: i}\n  redis: {image: i}\n"
        "  worker: {image: i, deploy: {replicas: 2}, x-tradebot: {scalable: true}}\n"
    )

    def entries(ops: Ops, chosen: Any, query: LogQuery, level: str | None, *, grep: str) -> Iterator[Entry]:
        asked.extend((chosen, query, level, grep))
        return iter(())

    class Known(Api):
        def jobs(self, state: None, job_type: None, limit: int, *, beginning: str) -> dict[str, Any]:
            return {"jobs": [{"id": f"{beginning}-whole"}]}

        def job(self, job_id: str) -> dict[str, Any]:
            return {"id": job_id, "submitted_at": "2026-11-26T12:00:00+00:00"}

    monkeypatch.setattr(upkeep, "entries", entries)
    ops = ops_with(Known(), tmp_path)  # type: ignore[arg-type]
    assert list(upkeep.logged(ops, "7d0c", "error")) == []
    chosen, query, level, grep = asked
    assert chosen == chosen_replicas(ops.stack, ["api", "worker"])
    assert query == LogQuery(since=datetime(2026, 11, 26, 11, 59, tzinfo=UTC))
    assert (level, grep) == ("error", "7d0c-whole")
