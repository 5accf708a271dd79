"""The canary's judge at every level, and each hop of its way broken by itself."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tradebot_ops.context import Ops
from tradebot_ops.errors import Unreachable
from tradebot_ops.facts.asking import Facts
from tradebot_ops.facts.fact import Effect, NotHere
from tradebot_ops.facts.metrics.samples import parse
from tradebot_ops.facts.work import jobs, workers
from tradebot_ops.facts.work.jobs import Hop, Journey
from tradebot_ops.facts.work.workers import Shown, Worker
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.stages.workers.canary import travelled

WORKER = Worker("worker-1", 1, ("worker-1",))


def test_travelled() -> None:
    way = (Hop("API", 0.1), Hop("worker", 1.0))
    assert travelled(Journey("7", way)).level is Level.PASS
    assert "no Prometheus" in travelled(Journey("7", way, unmeasured=True)).observed
    verdict = travelled(Journey("7", (*way, Hop("Postgres", 0.1, "the ledger has no such job"))))
    assert verdict.level is Level.FAIL
    assert "hop 'Postgres': the ledger has no such job" in verdict.message


@dataclass
class World:
    """A stack in which a canary goes all the way, unless a part of it was told otherwise."""

    state: str = "succeeded"
    worker: str = "worker-1"
    result_nonce: str | None = None
    rows: int = 1
    counts: bool = True
    scrapes: bool = True
    accepts: bool = True
    nonce: str = ""
    count: int = 3
    cancelled: list[str] = field(default_factory=list)

    def submit(self, _type: str, payload: dict[str, str]) -> dict[str, Any]:
        if not self.accepts:
            raise Unreachable("The API cannot be reached.", code="TB-0501")
        self.nonce = payload["nonce"]
        self.count += self.counts
        return {"id": "7"}

    def job(self, job_id: str) -> dict[str, Any]:
        result = {"nonce": self.result_nonce or self.nonce}
        return {"id": job_id, "state": self.state, "progress": 1, "worker": self.worker, "result": result}

    def ask(self, _query: str, _params: object) -> list[dict[str, Any]]:
        return [{"state": "succeeded", "worker": self.worker, "nonce": self.nonce}] * self.rows

    def query(self, _expression: str) -> list[Any]:
        return [SimpleNamespace(value=float(self.count if self.scrapes else 3))]

    def shown(self, *_: object) -> tuple[Shown, ...]:
        name = jobs.PROCESSED
        text = f'# TYPE {name} counter\n{name}{{job_type="canary",status="succeeded"}} {self.count}\n'
        return (Shown("worker-1", parse(text)),)

    def ops(self) -> Ops:
        api = SimpleNamespace(submit=self.submit, job=self.job, cancel=self.cancelled.append)
        made = SimpleNamespace(
            api=api,
            postgres=SimpleNamespace(rows=self.ask),
            prometheus=SimpleNamespace(query=self.query),
            stack=SimpleNamespace(services={"prometheus": None}),
        )
        return cast("Ops", made)


@pytest.fixture
def travel(monkeypatch: pytest.MonkeyPatch) -> Callable[[World], Journey]:
    monkeypatch.setattr(jobs, "CANARY_SECONDS", 0.0)
    monkeypatch.setattr(jobs, "SCRAPED_SECONDS", 0.0)

    def run(world: World) -> Journey:
        monkeypatch.setattr(workers, "shown", world.shown)
        return jobs.canary(world.ops(), (WORKER,))

    return run


def test_a_healthy_way_has_five_hops(travel: Callable[[World], Journey]) -> None:
    journey = travel(World())
    assert journey.broken is None
    assert [hop.name for hop in journey.hops] == ["API", "worker", "Postgres", "worker's counter", "Prometheus"]


@pytest.mark.parametrize(
    ("world", "name"),
    [
        (World(accepts=False), "API"),
        (World(state="queued"), "worker"),
        (World(state="dead"), "worker"),
        (World(result_nonce="another"), "worker"),
        (World(rows=0), "Postgres"),
        (World(counts=False), "worker's counter"),
        (World(worker="stranger"), "worker's counter"),
        (World(scrapes=False), "Prometheus"),
    ],
)
def test_the_first_broken_hop_is_named(travel: Callable[[World], Journey], world: World, name: str) -> None:
    journey = travel(world)
    assert journey.broken is not None
    assert journey.broken is journey.hops[-1]
    assert journey.broken.name == name
    assert world.cancelled == (["7"] if world.state == "queued" else [])


def test_without_canaries_none_is_submitted() -> None:
    answer = Facts(cast("Ops", SimpleNamespace()), without=[Effect.CANARY]).value(jobs.canary)
    assert isinstance(answer, NotHere)
