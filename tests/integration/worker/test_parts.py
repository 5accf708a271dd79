"""A job in parts on real workers: one result, one cancel, and a killed worker costs its own part alone."""

import json
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.common.ledger import State
from services.common.transport import LONG_QUEUE
from tests.integration.worker.conftest import MakeWorker
from tests.integration.worker.rig import Desk, WorkerPart
from tests.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

AT_ONCE = {"WORKER_GRACE_SECONDS": "0"}
SWEEP: dict[str, Any] = {
    "symbol": "AAPL",
    "strategy": "sma_cross",
    "fast": "2:12:2",
    "slow": "11:30:3",
    "fee_bps": 3,
    "top": 7,
}


def started(mark: Path) -> Counter[str]:
    """How often each part, and the join, was begun."""
    return Counter(mark.read_text(encoding="utf-8").splitlines()) if mark.exists() else Counter()


def runners(desk: Desk, job: UUID) -> list[str]:
    """Workers that began a part, in order, as the history of the whole names them."""
    return [event.by for event in desk.ledger.events(job) if event.note.startswith("part ") and "attempt" in event.note]


def two_workers(make_worker: MakeWorker) -> tuple[WorkerPart, WorkerPart]:
    return make_worker("worker-1", **AT_ONCE), make_worker("worker-2", **AT_ONCE)


def test_a_sweep_in_parts_has_the_result_of_the_whole_bit_for_bit(make_worker: MakeWorker, desk: Desk) -> None:
    two_workers(make_worker)
    assert desk.wait_for(desk.submit("load_candles", queue=LONG_QUEUE, symbols=["AAPL"])).state is State.SUCCEEDED
    ids = [desk.submit(name, queue=LONG_QUEUE, **SWEEP) for name in ("sweep", "sweep_in_parts")]
    whole, joined = (desk.wait_for(each) for each in ids)
    assert joined.state is whole.state is State.SUCCEEDED, joined.message
    assert json.dumps(joined.result) == json.dumps(whole.result)
    assert (joined.progress, joined.attempt) == (1.0, 1)
    assert joined.peak_memory_bytes
    notes = [event.note for event in desk.ledger.events(joined.id)]
    assert notes.index("in 3 parts") < notes.index("all 3 parts done")


def test_one_worker_does_all_parts_and_repeats_the_one_that_failed(
    make_worker: MakeWorker, desk: Desk, tmp_path: Path
) -> None:
    make_worker()
    mark = tmp_path / "mark"
    job = desk.submit("parted", queue=LONG_QUEUE, seconds=0.1, mark=str(mark), fails=1)
    done = desk.wait_for(job)
    assert (done.state, done.result, done.attempt) == (State.SUCCEEDED, {"numbers": [0, 1, 2, 3]}, 1)
    assert started(mark) == {"0 of 4": 1, "1 of 4": 2, "2 of 4": 1, "3 of 4": 1, "join": 1}
    notes = [event.note for event in desk.ledger.events(job)]
    assert "part 2 of 4: ConnectionResetError: in part 1" in notes


def test_a_part_that_dies_takes_the_job_with_it_and_a_replay_begins_anew(
    make_worker: MakeWorker, desk: Desk, tmp_path: Path
) -> None:
    two_workers(make_worker)
    mark = tmp_path / "mark"
    job = desk.submit("parted", queue=LONG_QUEUE, seconds=0.1, mark=str(mark), fails=2, times=3)
    dead = desk.wait_for(job)
    assert (dead.state, dead.error_type) == (State.DEAD, "ConnectionResetError")
    assert dead.message == "Part 3 of 4: in part 2"
    assert "in part 2" in (dead.traceback or "")
    assert [group.jobs for group in desk.dead_letters.groups()] == [1]
    assert started(mark)["join"] == 0
    replayed = desk.dead_letters.replay(job)
    assert replayed
    desk.transport.send(job, LONG_QUEUE)
    assert desk.wait_for(job).result == {"numbers": [0, 1, 2, 3]}


def test_one_cancel_ends_all_parts(make_worker: MakeWorker, desk: Desk, tmp_path: Path) -> None:
    workers = two_workers(make_worker)
    mark = tmp_path / "mark"
    job = desk.submit("parted", queue=LONG_QUEUE, seconds=600.0, mark=str(mark))
    until(lambda: len(started(mark)) == 2, "a part runs on each worker", 40)
    until(lambda: 0 < desk.job(job).progress < 1, "one progress of all", 20)
    assert desk.job(job).note == "0 of 4 parts done"
    cancelled = desk.ledger.request_cancel(job)
    assert cancelled
    assert cancelled.state is State.CANCELLED
    # The process for short jobs is kept; that of a part ends with it.
    until(lambda: all(len(worker.children()) <= 1 for worker in workers), "the parts have ended", 30)
    nap = desk.submit("nap_long", queue=LONG_QUEUE, seconds=0.1)
    assert desk.wait_for(nap).state is State.SUCCEEDED, "the workers are free"
    assert sum(started(mark).values()) == 2, "no other part began"
    assert desk.job(job).state is State.CANCELLED


def test_a_worker_killed_in_the_middle_costs_its_own_part_alone(
    make_worker: MakeWorker, desk: Desk, tmp_path: Path
) -> None:
    doomed, _ = two_workers(make_worker)
    mark = tmp_path / "mark"
    job = desk.submit("parted", queue=LONG_QUEUE, seconds=2.0, mark=str(mark))
    until(lambda: len(started(mark)) == 2, "a part runs on each worker", 40)
    doomed.kill()
    done = desk.wait_for(job, within_s=60)
    assert (done.state, done.result) == (State.SUCCEEDED, {"numbers": [0, 1, 2, 3]})
    assert sum(started(mark).values()) == 6, "four parts, one of them twice, and the join"
    assert started(mark)["join"] == 1
    assert runners(desk, job).count("worker-1") == 1
