"""A halt under a stream of submissions: from then on nothing is taken, nothing starts, and nothing is lost by it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from tests.drill.faults import frozen, job_processes
from tests.integration.backup.rig import ops_of, rows
from tests.integration.tradebot import Tradebot
from tests.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("local-halt")]

JOB = {"type": "backtest", "payload": {"symbol": "AAPL", "strategy": "sma_cross", "fast": 10, "slow": 50}}
CALLERS = 3
#: Between two submissions of a caller: what piles up is soon done afterwards.
PAUSE_S = 0.05


@dataclass
class Stream:
    """Answers of the API, each with the moment at which it was asked."""

    answers: list[tuple[float, int]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def submit(self, address: str, key: str) -> None:
        with httpx.Client(base_url=address, headers={"X-API-Key": key}, timeout=60) as client:
            while not self.over.is_set():
                asked = time.monotonic()
                self.answers.append((asked, client.post("/jobs", json=JOB).status_code))
                self.over.wait(PAUSE_S)

    def since(self, moment: float) -> list[int]:
        return [status for asked, status in list(self.answers) if asked > moment]


@contextmanager
def submitting(stack: Tradebot) -> Iterator[Stream]:
    ops, stream = ops_of(stack), Stream()
    address, key = f"http://{ops.engine.endpoint('api', 8010)}", ops.secret("api_key").reveal()
    callers = [threading.Thread(target=stream.submit, args=(address, key)) for _ in range(CALLERS)]
    for caller in callers:
        caller.start()
    try:
        yield stream
    finally:
        stream.over.set()
        for caller in callers:
            caller.join(60)


def count(stack: Tradebot, condition: str) -> int:
    return int(rows(stack, f"SELECT count(*) FROM job WHERE type = 'backtest' AND {condition}")[0][0])  # noqa: S608


def test_from_the_halt_on_nothing_starts_and_nothing_is_lost(running: Tradebot) -> None:
    with submitting(running) as stream:
        until(lambda: count(running, "state = 'succeeded'") >= 5, "some jobs are done", 60)
        with frozen([each for name in ("worker-1", "worker-2") for each in job_processes(running, name)]):
            until(lambda: count(running, "state = 'queued'") >= 5, "jobs wait behind those that run", 60)
            halted = running.json("halt", "--reason", "a test")
        known = time.monotonic()
        until(lambda: len(stream.since(known)) >= 20, "submissions after the halt", 60)
    assert set(stream.since(known)) == {423}
    assert {status for _, status in stream.answers} == {202, 423}
    accepted = sum(status == 202 for _, status in stream.answers)
    assert (halted["halted"], halted["reason"], halted["facts"]["intake"]["state"]) == (True, "a test", "closed")

    until(lambda: not count(running, "state = 'running'"), "what ran has ended", 60)
    waiting = count(running, "state = 'queued'")
    assert waiting >= 5
    assert "succeeded" in running.ok("jobs", "submit", "canary", "--wait"), "which goes through every worker's queue"
    late = "started_at > (SELECT at + interval '1 second' FROM halt WHERE ended_at IS NULL)"
    assert (count(running, late), count(running, "state = 'queued' AND attempt > 0")) == (0, 0)
    assert count(running, "state = 'queued'") == waiting
    status = running.json("status")
    assert (status["halt"]["halted"], status["halt"]["reason"]) == (True, "a test")

    resumed = running.json("resume")
    assert resumed["facts"]["intake"]["state"] == "open"
    until(lambda: count(running, "state = 'succeeded'") == accepted, "every job that was accepted is done", 120)
    assert count(running, "true") == accepted
    assert count(running, "attempt <> 1 OR kills <> 0") == 0
    assert not running.json("status")["halt"]["halted"]


def test_without_the_api_the_halt_is_written_all_the_same(running: Tradebot) -> None:
    running.ok("stop", "api")
    try:
        assert running.json("halt", "--reason", "the API is away")["halted"]
    finally:
        running.ok("start", "api")
    refused = running.run("jobs", "submit", "backtest", "symbol=AAPL", "strategy=sma_cross", "fast=10", "slow=50")
    assert (refused.returncode, "the API is away" in refused.stderr) == (9, True), refused
    running.ok("stop", "api")
    try:
        assert not running.json("resume", "--reason", "it is back")["halted"]
    finally:
        running.ok("start", "api")
    assert rows(running, "SELECT reason, ended_reason FROM halt ORDER BY id DESC LIMIT 1") == [
        ("the API is away", "it is back")
    ]
