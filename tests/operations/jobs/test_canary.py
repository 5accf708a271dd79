"""The proof at the end of `up`, and the prices that it begins with: what is asked for, and what is said of its end."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.operations.seen import refusal
from tests.paths import ROOT
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError, StackHalted
from tradebot_ops.operations.jobs import canary, sample_data
from tradebot_ops.progress import Phase, ProgressEvent
from tradebot_ops.settings import load_settings


class World:
    """The API takes a job, which comes back as ``end`` says; followed until when is written down."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.events, self.asked = folder, list[ProgressEvent](), list[Any]()
        self.known: list[Any] = []
        self.halted = False
        self.end: dict[str, Any] = {}
        times = iter([100.0, 100.0, 102.5])
        for module in (canary, sample_data):
            monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(times)))
            monkeypatch.setattr(module, "follow", self.follow)

    def follow(self, ops: Ops, job_id: str, *, deadline: float) -> dict[str, Any]:
        self.asked.append((job_id, deadline))
        return {"id": job_id, "worker": "worker-2", "error": None, **self.end}

    def submit(self, job_type: str, payload: dict[str, Any]) -> dict[str, Any]:
        if self.halted:
            raise StackHalted("The stack is halted.", code="TB-0960")
        self.asked.append((job_type, payload))
        return {"id": "j1"}

    def jobs(self, state: None, job_type: str, limit: int) -> dict[str, Any]:
        self.asked.append((state, job_type, limit))
        return {"jobs": self.known}

    def ops(self, **environ: str) -> Ops:
        settings = load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(self.folder), **environ}, ROOT)
        ops = Ops(settings, StubEngine("demo"))
        vars(ops)["api"] = self
        return ops


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def test_a_canary_that_came_back_is_the_proof(world: World) -> None:
    world.end = {"state": "succeeded"}
    proof = canary.run(world.ops(), world.events.append)
    assert world.asked == [("canary", {}), ("j1", 130.0)]
    assert proof.sentence == "Canary: a job went API -> Redis -> worker -> Postgres and back in 2.5 s."
    assert proof.data["id"] == "j1"
    assert world.events == [
        ProgressEvent("canary", Phase.STARTING, "a job goes API -> Redis -> worker -> Postgres"),
        ProgressEvent("canary", Phase.DONE, "2.5 s"),
    ]


@pytest.mark.parametrize(
    ("end", "why"),
    [
        ({"state": "queued"}, "after 30 s no worker took it"),
        ({"state": "running"}, "after 30 s worker worker-2 has not finished it"),
        ({"state": "dead", "error": {"message": "no disk"}}, "it ended as dead: no disk"),
        ({"state": "dead", "error": {"message": ""}}, "it ended as dead: no reason was recorded"),
        ({"state": "cancelled"}, "it ended as cancelled: no reason was recorded"),
    ],
)
def test_a_canary_that_did_not_come_back_names_the_link_that_broke(world: World, end: dict[str, Any], why: str) -> None:
    world.end = end
    with pytest.raises(OpsError) as caught:
        canary.run(world.ops(), world.events.append)
    assert refusal(caught.value) == (
        "TB-0107",
        f"The canary job j1 did not come back: {why}.",
        "tradebot status; tradebot logs worker --tail 50; or start without the proof: tradebot up --no-canary",
    )
    assert world.events[1:] == [ProgressEvent("canary", Phase.FAILED, end["state"])]


def test_a_stack_to_develop_on_begins_with_prices(world: World) -> None:
    world.end = {
        "state": "succeeded",
        "result": {"inserted": 12_154, "symbols": [{"symbol": "AAPL"}, {"symbol": "IBM"}]},
    }
    assert sample_data.load_once(world.ops(), world.events.append) == "Loaded 12154 daily candles of AAPL, IBM."
    assert world.asked == [(None, "load_candles", 1), ("load_candles", {}), ("j1", 160.0)]
    assert world.events == [
        ProgressEvent("prices", Phase.STARTING, "loading sample candles"),
        ProgressEvent("prices", Phase.DONE, "Loaded 12154 daily candles of AAPL, IBM."),
    ]


def test_prices_are_loaded_once_and_for_development_alone(world: World) -> None:
    world.known = [{"id": "j0"}]
    assert sample_data.load_once(world.ops(), world.events.append) == ""
    for environment in ("staging", "production"):
        assert sample_data.load_once(world.ops(ENVIRONMENT=environment), world.events.append) == ""
    assert (world.asked, world.events) == ([(None, "load_candles", 1)], [])


def test_a_halted_stack_comes_up_without_prices(world: World) -> None:
    world.halted = True
    said = "No sample candles are loaded while the stack is halted: the `up` after a `resume` does it."
    assert sample_data.load_once(world.ops(), world.events.append) == said
    assert world.events == []


def test_prices_that_were_not_loaded_are_an_error(world: World) -> None:
    world.end = {"state": "dead"}
    with pytest.raises(OpsError) as caught:
        sample_data.load_once(world.ops(), world.events.append)
    why = "The sample candles were not loaded: job j1 is dead."
    assert refusal(caught.value) == ("TB-0109", why, "tradebot jobs show j1")
    assert world.events[1:] == [ProgressEvent("prices", Phase.FAILED, "dead")]
