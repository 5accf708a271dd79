"""Workers that leave while their jobs run: what `--drain` promises is kept, and nothing runs twice."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.integration.local.conftest import ports
from tests.integration.tradebot import Tradebot
from tests.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("local-drain")]

#: A short job: its process is there before it, and can be stopped in time.
SHORT = ("backtest", "symbol=AAPL", "strategy=sma_cross", "fast=10", "slow=50")
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
    jobs = [stack.submit(*SHORT) for _ in children]
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


@contextmanager
def one_busy(stack: Tradebot) -> Iterator[tuple[str, str]]:
    """A worker and the job that it runs, which takes as long as the block unless another worker does it."""
    stack.ok("up", "--no-canary")
    children = {f"worker-{number}": job_process(stack, number) for number in (1, 2)}
    for child in children.values():
        child.suspend()
    job = stack.submit(*SHORT)
    until(lambda: stack.job(job)["state"] == "running", "it runs", 30)
    worker = stack.job(job)["worker"]
    until(lambda: shown(stack, worker)["job_id"] == job, "its heartbeat shows it", 10)
    for name, child in children.items():
        if name != worker:
            child.resume()
    try:
        yield worker, job
    finally:
        for child in children.values():
            if child.is_running():
                child.resume()


def shown(stack: Tradebot, name: str) -> dict[str, Any]:
    return next(each for each in stack.json("workers", "list") if each["name"] == name)


def test_a_worker_that_was_told_to_takes_no_jobs_and_status_is_content(stack: Tradebot) -> None:
    with one_busy(stack) as (worker, job):
        assert "Its job goes on" in stack.ok("workers", "drain", worker, "--reason", "a test")
        until(lambda: shown(stack, worker)["state"] == "draining", "it drains", 20)
        assert shown(stack, worker)["job_id"] == job
    assert states(stack.ended(job)) == ["queued", "running", "succeeded"]
    assert f"{worker} is drained: it has no job" in stack.ok("workers", "drain", worker, "--reason", "a test", "--wait")
    row = stack.status()[worker]
    assert (row["state"], row["detail"].partition(", says ")[0]) == ("drained", "takes no jobs")
    assert "a test" in stack.ok("status")
    for _ in range(3):
        assert stack.ended(stack.submit("canary", "nonce=x"))["worker"] != worker

    stack.ok("restart", worker)
    until(lambda: shown(stack, worker)["state"] == "drained", "it is drained after a restart", 20)
    stack.ok("workers", "resume", worker)
    until(lambda: shown(stack, worker)["state"] == "idle", "it takes jobs", 20)
    assert stack.status()[worker]["state"] == "ready"


def test_the_job_of_a_killed_worker_runs_elsewhere_at_once_and_the_worker_again(stack: Tradebot) -> None:
    with one_busy(stack) as (worker, job):
        before = stack.pid(worker)
        killed = stack.json("workers", "kill", worker, "--yes", "--reason", "a test")
        assert killed["jobs"] == [job]
        ended = stack.ended(job)
    assert (ended["state"], ended["attempt"], ended["kills"]) == ("succeeded", 1, 0)
    assert ended["worker"] != worker
    assert states(ended) == ["queued", "running", "queued", "running", "succeeded"]
    assert ended["events"][2]["note"].endswith("was ended: a test")
    handed, begun = (datetime.fromisoformat(event["at"]) for event in ended["events"][2:4])
    assert (begun - handed).total_seconds() < 2
    assert stack.pid(worker) != before
    assert shown(stack, worker)["state"] == "idle"


def test_one_that_hangs_is_shown_and_killed(stack: Tradebot) -> None:
    stack.ok("up", "--no-canary")
    psutil.Process(stack.pid("worker-2")).suspend()
    until(lambda: shown(stack, "worker-2")["state"] == "hung", "it is seen to hang", 30)
    assert "tradebot" in stack.run("workers", "list").stdout.partition("it hangs: ")[2]
    assert stack.run("workers", "kill", "worker-2").returncode == 9
    stack.ok("workers", "kill", "worker-2", "--yes")
    assert shown(stack, "worker-2")["state"] == "idle"


def test_a_restarted_worker_ends_its_job_first(stack: Tradebot) -> None:
    with one_busy(stack) as (worker, job):
        before = stack.pid(worker)
        restarting = stack.start("workers", "restart", worker, "--drain", "120")
        until(lambda: draining(stack, 120.0), "the worker knows how long its job may take", 20)
    assert restarting.wait(60) == 0
    assert states(stack.ended(job)) == ["queued", "running", "succeeded"]
    assert stack.pid(worker) != before
