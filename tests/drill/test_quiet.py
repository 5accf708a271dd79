"""A healthy stack tells nobody anything: for an hour without jobs, with one a minute, with one after the other, and
while an operator restarts, upgrades, scales and backs it up.

``pytest -n 4 -m drill tests/drill/test_quiet.py`` on a machine that does nothing else; ``TRADEBOT_QUIET_MINUTES``
makes the hour shorter.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.drill.alerts.drilling import BACKGROUND, HOST
from tests.drill.rig import Rig
from tests.integration.local.test_monitoring import monitored
from tests.integration.tradebot import Tradebot

MINUTES = float(os.environ.get("TRADEBOT_QUIET_MINUTES", "60"))
#: What was done to a stack is told by then, if it is: rules look at an absence or a rise for no longer.
AFTERWARDS_MINUTES = min(MINUTES, 15.0)
#: So many wait that the next one begins before this process has started the command that submits another.
SWEEPS_AHEAD = 5
BACKTEST = ("backtest", "symbol=AAPL", "strategy=sma_cross")

pytestmark = [
    pytest.mark.integration,
    pytest.mark.drill,
    pytest.mark.timeout(60 * (MINUTES + AFTERWARDS_MINUTES) + 900),
]


@dataclass(frozen=True)
class Told:
    """Names of alerts since the stack was begun: what fired in Prometheus, and what reached the store.

    Those about the host are left out: several stacks share it."""

    fired: frozenset[str]
    stored: frozenset[str]


def told(stack: Tradebot, minutes: float) -> Told:
    looks_back = f"{int(60 * minutes) + 60}s"
    fired = f'max by (alertname) (max_over_time(ALERTS{{alertstate="firing"}}[{looks_back}]))'
    series = stack.json("query", fired)["series"]
    names = {each["labels"]["alertname"] for each in series}
    assert "Watchdog" in names, "what always fires is on record, so that the others would be, too"
    stored = {each["name"] for each in stack.json("alerts", "history", "--limit", "500")["alerts"]}
    others = BACKGROUND | HOST
    return Told(frozenset(names - others), frozenset(stored - others))


def idle(_stack: Tradebot, until: float) -> None:
    time.sleep(max(0.0, until - time.monotonic()))


def one_a_minute(stack: Tradebot, until: float) -> None:
    while time.monotonic() < until:
        began = time.monotonic()
        stack.ok("jobs", "submit", *BACKTEST, "--wait")
        time.sleep(max(0.0, min(until, began + 60) - time.monotonic()))


def busy(stack: Tradebot, until: float) -> None:
    """One of the two workers always has a sweep, with others behind it, and the other one a short job now and then:
    neither worker could be spared, and none is missing."""
    stack.ok("queue", "limit", "sweep", "1")
    sweeps: deque[str] = deque()
    while time.monotonic() < until:
        while len(sweeps) < SWEEPS_AHEAD:
            sweeps.append(stack.submit("sweep", "symbol=AAPL", "strategy=sma_cross", "fast=2:60:1", "slow=61:200:1"))
        stack.ok("jobs", "submit", *BACKTEST, "--wait")
        assert stack.ended(sweeps.popleft(), 300)["state"] == "succeeded"
    for each in sweeps:
        assert stack.ended(each, 300)["state"] == "succeeded"


@pytest.mark.parametrize(
    "load",
    [
        pytest.param(load, id=load.__name__, marks=pytest.mark.xdist_group(f"quiet-{load.__name__}"))
        for load in (idle, one_a_minute, busy)
    ],
)
def test_an_hour_of_health_tells_nothing(tmp_path: Path, load: Callable[[Tradebot, float], None]) -> None:
    stack = monitored(tmp_path / "home", WORKER_REPLICAS="2")
    try:
        stack.ok("up", timeout=300)
        began = time.monotonic()
        load(stack, began + 60 * MINUTES)
        assert told(stack, (time.monotonic() - began) / 60) == Told(frozenset(), frozenset())
        assert stack.json("dlq", "list")["jobs"] == []
    finally:
        stack.clean()


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """A stack whose files are a copy of the project's: an upgrade edits them."""
    found = Rig(tmp_path, (), lambda home: monitored(home, WORKER_REPLICAS="2"))
    yield found
    found.discard()


@pytest.mark.xdist_group("quiet-work")
def test_an_operators_work_tells_nothing(rig: Rig) -> None:
    stack = rig.stack()
    began = time.monotonic()
    for words in (("restart",), ("scale", "workers", "6"), ("scale", "workers", "2"), ("backup",)):
        stack.ok(*words, timeout=300)
        one_a_minute(stack, time.monotonic() + 60)
    with (stack.cwd / "services" / "api" / "__main__.py").open("a") as code:
        code.write("\n# upgraded\n")
    assert {step["service"] for step in stack.json("plan")["changes"]} >= {"api", "worker"}
    stack.ok("up", timeout=300)
    one_a_minute(stack, time.monotonic() + 60 * AFTERWARDS_MINUTES)
    assert told(stack, (time.monotonic() - began) / 60) == Told(frozenset(), frozenset())
