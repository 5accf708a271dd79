"""The built-in jobs on a real worker, Redis and Postgres."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from services.common.ledger import Fault, State
from services.common.settings import Settings
from tests.integration.worker.conftest import MakeWorker
from tests.integration.worker.rig import Desk
from tests.services.jobs import independent

pytestmark = pytest.mark.integration


def test_canary_works_on_an_empty_database(desk: Desk, make_worker: MakeWorker) -> None:
    make_worker()
    job = desk.wait_for(desk.submit("canary", nonce="n-1"))
    assert job.state is State.SUCCEEDED
    assert job.result is not None
    assert (job.result["nonce"], job.result["bars"]) == ("n-1", 120)
    assert job.peak_memory_bytes is not None
    assert job.peak_memory_bytes > 10_000_000
    assert [event.state for event in desk.ledger.events(job.id)] == [
        State.QUEUED,
        State.RUNNING,
        State.SUCCEEDED,
    ]


def test_a_failing_canary_is_tried_again_then_given_up(desk: Desk, make_worker: MakeWorker) -> None:
    worker = make_worker()
    recovering, failing = (desk.submit("failing_canary", nonce="n-2", failures=failures) for failures in (2, 3))
    recovered, dead = desk.wait_for(recovering), desk.wait_for(failing)
    assert (recovered.state, recovered.result) == (State.SUCCEEDED, {"nonce": "n-2", "attempt": 3})
    assert (dead.state, dead.attempt, dead.error_type) == (State.DEAD, 3, "FailedOnPurpose")
    for job in (recovered, dead):
        events = desk.ledger.events(job.id)
        waits = [
            (later.at - sooner.at).total_seconds()
            for sooner, later in pairwise(events)
            if sooner.state is State.RETRYING
        ]
        assert len(waits) == 2
        assert all(wait < 2 + 5 for wait in waits), "its own short backoff holds"

    counted = worker.metrics()
    assert counted['job_retries_total{job_type="failing_canary"}'] == 4
    assert counted['job_dlq_moves_total{job_type="failing_canary"}'] == 1
    assert not any("FailedOnPurpose" in series for series in counted)
    lines = [json.loads(line) for line in worker.log.read_text().splitlines() if "FailedOnPurpose" in line]
    assert [line["level"] for line in lines] == ["info"] * 5
    assert desk.ledger.counts()[State.DEAD] == 0
    assert not desk.dead_letters.remove(recovered.id)
    assert desk.dead_letters.remove(dead.id)
    assert desk.ledger.get(dead.id) is None
    assert desk.ledger.events(dead.id) == []


def test_candles_are_loaded_once_and_traded_on(desk: Desk, make_worker: MakeWorker) -> None:
    make_worker()
    missing = desk.wait_for(desk.submit("backtest", symbol="AAPL", strategy="sma_cross"))
    assert missing.state is State.DEAD
    assert missing.message is not None
    assert missing.message.startswith("There are no candles for AAPL.")
    assert "load_candles" in missing.message
    assert missing.traceback == ""

    first, second = (desk.wait_for(desk.submit("load_candles")).result for _ in range(2))
    assert first is not None
    assert second is not None
    assert (first["inserted"], first["unchanged"], first["rejected"]) == (12_154, 0, 0)
    assert (second["inserted"], second["updated"], second["unchanged"]) == (0, 0, 12_154)

    payload: dict[str, Any] = {"symbol": "AAPL", "strategy": "sma_cross", "fast": 10, "slow": 30, "fee_bps": 5}
    job = desk.wait_for(desk.submit("backtest", **payload))
    rows = independent.rows_of("AAPL")
    expected = independent.trade(rows, independent.want_sma_cross(rows, 10, 30), 10_000, 5)
    assert job.result is not None
    assert job.result["metrics"]["total_return"] == pytest.approx(expected.total_return, abs=1e-6)
    assert job.result["metrics"]["sharpe"] == pytest.approx(expected.sharpe, abs=1e-4)

    sweep = desk.wait_for(desk.submit("sweep", symbol="AAPL", strategy="sma_cross", fast="5:20:5", slow="30,50"))
    assert sweep.result is not None
    assert sweep.result["runs"] == 8
    assert sweep.result["holdout_from"] > sweep.result["end"]
    assert {run["out_of_sample"]["place"] for run in sweep.result["best"]} <= set(range(1, 9))
    walked = desk.wait_for(
        desk.submit("walk_forward", symbol="AAPL", strategy="sma_cross", fast="5:20:5", slow="30,50")
    )
    assert walked.result is not None
    assert len(walked.result["folds"]) == 10
    assert walked.result["folds"][0]["train_until"] == walked.result["start"]


def test_broken_plug_in_does_not_stop_the_worker(desk: Desk, make_worker: MakeWorker, settings: Settings) -> None:
    worker = make_worker()
    assert desk.wait_for(desk.submit("noop")).state is State.SUCCEEDED
    assert "no_such_module" in worker.tail()
    unknown = desk.wait_for(desk.submit("broken"))
    assert unknown.state is State.DEAD
    assert "quarantine" in (unknown.message or "")


def test_jobs_of_a_type_that_is_gone_die_with_that_reason_and_run_once_it_is_back(
    desk: Desk, make_worker: MakeWorker, tmp_path: Path
) -> None:
    """Such as those of a package that was removed while they waited."""
    waiting, other = desk.submit("nap"), desk.submit("noop")
    entries = next((tmp_path / "plugins").glob("*/entry_points.txt"))
    whole = entries.read_text()
    entries.write_text("".join(line for line in whole.splitlines(keepends=True) if not line.startswith("nap =")))
    worker = make_worker()
    job = desk.wait_for(waiting)
    assert (job.state, job.fault, job.attempt) == (State.DEAD, Fault.JOB, 1)
    assert "knows no job type 'nap'" in (job.message or "")
    assert desk.wait_for(other).state is State.SUCCEEDED
    worker.terminate()
    assert worker.wait() == 0
    entries.write_text(whole)
    make_worker()
    assert desk.dead_letters.replay(waiting)
    desk.transport.send(waiting)
    assert desk.wait_for(waiting).state is State.SUCCEEDED
