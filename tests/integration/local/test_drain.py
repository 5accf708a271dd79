"""Workers that leave while their jobs run: what `--drain` promises is kept, and nothing runs twice."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.integration.local.conftest import ports
from tests.integration.tradebot import Tradebot
from tests.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("local-drain")]

SWEEP = ("symbol=AAPL", "strategy=sma_cross", "fast=5:10:1", "slow=50:60:1")
#: Of a worker that is told nothing.
GRACE = 1


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tradebot]:
    settings = {"WORKER_REPLICAS": "2", "WORKER_GRACE_SECONDS": str(GRACE)}
    project = Tradebot(tmp_path_factory.mktemp("drain") / "home", environ=ports() | settings)
    try:
        project.ok("up", "--no-canary")
        project.ok("jobs", "submit", "load_candles", "--wait")
        yield project
    finally:
        project.clean()


def job_process(stack: Tradebot, number: int) -> psutil.Process:
    """The one that waits for orders: stopped before that, it would never get one."""
    worker = psutil.Process(stack.pid(f"worker-{number}"))
    return until(lambda: next(filter(takes_orders, worker.children()), None), "its job process", 20)


def takes_orders(process: psutil.Process) -> bool:
    """From then on a job process ignores Ctrl-C."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    ignored = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigIgn"))
    return bool(ignored & 1 << signal.SIGINT - 1)


@contextmanager
def both_busy(stack: Tradebot) -> Iterator[list[str]]:
    """Two jobs that take as long as the block: the processes that run them stand still meanwhile."""
    stack.ok("up", "--no-canary")
    children = [job_process(stack, number) for number in (1, 2)]
    for child in children:
        child.suspend()
    jobs = [stack.submit("sweep", *SWEEP) for _ in children]
    until(lambda: all(stack.job(job)["state"] == "running" for job in jobs), "both run", 30)
    try:
        yield jobs
    finally:
        for child in children:
            if child.is_running():
                child.resume()


def states(job: dict[str, Any]) -> list[str]:
    return [event["state"] for event in job["events"]]


def draining(stack: Tradebot, seconds: float) -> bool:
    return f'"grace_seconds":{seconds}' in stack.ok("logs", "worker", "--raw").replace(" ", "")


def test_a_drained_worker_ends_its_job_although_that_takes_longer_than_usual(stack: Tradebot) -> None:
    with both_busy(stack) as jobs:
        leaving = stack.start("scale", "workers", "1", "--drain", "120", "--no-persist")
        until(lambda: draining(stack, 120.0), "the worker knows how long its job may take", 20)
        with pytest.raises(subprocess.TimeoutExpired):
            leaving.wait(4 * GRACE)
    assert leaving.wait(60) == 0
    for job in jobs:
        ended = stack.ended(job)
        assert (ended["state"], ended["attempt"], states(ended)) == (
            "succeeded",
            1,
            ["queued", "running", "succeeded"],
        )


def test_a_job_that_outlives_the_drain_is_handed_back_and_done_by_another(stack: Tradebot) -> None:
    with both_busy(stack) as jobs:
        told = stack.json("scale", "workers", "1", "--drain", "2", "--no-persist")
    assert [one["why"] for one in told["removed"]] == ["busy; its job has up to 2 s, then it is handed back"]
    ended = [stack.ended(job) for job in jobs]
    assert [(job["state"], job["attempt"]) for job in ended] == [("succeeded", 1)] * 2
    assert sorted(states(job).count("queued") for job in ended) == [1, 2]


def test_down_gives_the_time_it_was_told_to(stack: Tradebot, tmp_path: Path) -> None:
    with both_busy(stack) as jobs:
        leaving = stack.start("down", "--drain", "120")
        until(lambda: draining(stack, 120.0), "the workers know how long their jobs may take", 20)
        with pytest.raises(subprocess.TimeoutExpired):
            leaving.wait(4 * GRACE)
    assert leaving.wait(60) == 0
    stack.ok("up", "--no-canary")
    assert [states(stack.ended(job)) for job in jobs] == [["queued", "running", "succeeded"]] * 2
