"""The canary's judge at every level, and each hop of its way broken by itself."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from inspect import getsource
from types import SimpleNamespace
from typing import Any, cast

import pytest

from services.common.jobtypes import FAILS_ON_PURPOSE
from services.common.ledger.sql import COUNTS
from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError, Unreachable
from tradebot_ops.facts.asking import Facts
from tradebot_ops.facts.fact import Effect, Fact, NotHere
from tradebot_ops.facts.metrics import kpi, usage
from tradebot_ops.facts.metrics.samples import parse
from tradebot_ops.facts.replicas import errors, images
from tradebot_ops.facts.work import jobs, queue, retries, timings, workers
from tradebot_ops.facts.work.jobs import Hop, Journey
from tradebot_ops.facts.work.retries import Course, Tries
from tradebot_ops.facts.work.workers import Shown, Worker
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.stages.workers.canary import travelled, tried_again

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
    facts = Facts(cast("Ops", SimpleNamespace()), without=[Effect.CANARY])
    asked: tuple[Fact[Any], ...] = (jobs.canary, retries.tries)
    assert all(isinstance(facts.value(each), NotHere) for each in asked)


def tries(**others: Any) -> Tries:
    usual: dict[str, Any] = {
        "recovered": Course("8", "succeeded", 3, (1.5, 3.0)),
        "given_up": Course("9", "dead", 3, (1.5, 3.0)),
        "retries": 4.0,
        "moves": 1.0,
    }
    return Tries(**(usual | others))


def test_tried_again() -> None:
    verdict = tried_again(tries())
    assert verdict.level is Level.PASS
    assert "dead after 3 attempts, 1.5 s and 3 s between" in verdict.observed
    assert tried_again(tries(retries=9.0, moves=2.0)).level is Level.PASS, "another run may be counted, too"


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ({"recovered": Course("8", "dead", 1, ())}, "should end as succeeded is dead after 1 of 3"),
        ({"given_up": Course("9", "cancelled", 2, (1.5,))}, "should end as dead is cancelled"),
        ({"given_up": Course("9", "dead", 1, ())}, "dead after 1 attempts where 3"),
        ({"recovered": Course("8", "succeeded", 3, (1.5,))}, "without a wait"),
        ({"retries": 3.0}, "do not count"),
        ({"moves": 0.0}, "do not count"),
        ({"left": "The API failed."}, "cannot be removed: The API failed."),
    ],
)
def test_what_is_wrong_with_retries_is_said(others: dict[str, Any], message: str) -> None:
    verdict = tried_again(tries(**others))
    assert verdict.level is Level.FAIL
    assert message in verdict.message


START = datetime(2026, 1, 1, tzinfo=UTC)


def events(*states: str) -> list[dict[str, Any]]:
    return [{"state": state, "at": (START + timedelta(seconds=2**i)).isoformat()} for i, state in enumerate(states)]


AGAIN = ("queued", "running", "retrying", "running", "retrying", "running")


def test_the_course_of_a_job_is_read_from_its_events() -> None:
    job = {"id": "9", "state": "dead", "events": events(*AGAIN, "dead")}
    assert retries.course(job) == Course("9", "dead", 3, (4.0, 16.0))


@dataclass
class Queue:
    """A stack in which jobs that fail end as they should, unless a part of it was told otherwise."""

    states: tuple[str, ...] = ("succeeded", "dead")
    readable: bool = True
    removes: bool = True
    breaks: bool = False
    counted: list[int] = field(default_factory=lambda: [0, 0])
    jobs: dict[str, str] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)

    def submit(self, type_: str, payload: dict[str, Any]) -> dict[str, Any]:
        assert type_ == retries.TYPE
        job_id = str(payload["failures"])
        self.jobs[job_id] = self.states[len(self.jobs)]
        return {"id": job_id}

    def job(self, job_id: str) -> dict[str, Any]:
        if self.breaks:
            raise Unreachable("The API cannot be reached.", code="TB-0501")
        if self.jobs[job_id] == "gone":
            raise OpsError("There is no such job.", code="TB-0105")
        self.counted = [4, 1]
        state = self.jobs[job_id]
        return {"id": job_id, "state": state, "progress": 0, "events": events(*AGAIN, state)}

    def cancel(self, job_id: str) -> None:
        self.done.append(f"cancel {job_id}")

    def remove_dead(self, job_id: str) -> None:
        if not self.removes or self.jobs[job_id] != "dead":
            raise OpsError("The job is here to stay.", code="TB-0104")
        self.jobs[job_id] = "gone"
        self.done.append(f"remove {job_id}")

    def scrape(self, *_: object) -> str:
        if not self.readable:
            raise OpsError("Worker 1 does not answer.", code="TB-0509")
        values = zip((retries.RETRIED, retries.GIVEN_UP), self.counted, strict=True)
        lines = [f'# TYPE {name} counter\n{name}{{job_type="{retries.TYPE}"}} {value}\n' for name, value in values]
        return "".join(lines)


@pytest.fixture
def fail(monkeypatch: pytest.MonkeyPatch) -> Callable[[Queue], Tries]:
    monkeypatch.setattr(retries, "SECONDS", 0.0)

    def run(queue: Queue) -> Tries:
        monkeypatch.setattr(workers, "scrape", queue.scrape)
        return retries.tries(cast("Ops", SimpleNamespace(api=queue)), (WORKER,))

    return run


def test_jobs_that_fail_are_followed_counted_and_removed(fail: Callable[[Queue], Tries]) -> None:
    queue = Queue()
    found = fail(queue)
    assert tried_again(found).level is Level.PASS
    assert (found.retries, found.moves, found.left) == (4, 1, "")
    assert queue.done == ["remove 3"]


def test_what_did_not_end_is_cancelled_and_what_died_too_soon_removed(fail: Callable[[Queue], Tries]) -> None:
    queue = Queue(states=("dead", "retrying"))
    assert fail(queue).given_up.state == "retrying"
    assert sorted(queue.done) == ["cancel 3", "remove 2"]


def test_a_dead_letter_that_stays_is_said(fail: Callable[[Queue], Tries]) -> None:
    assert fail(Queue(removes=False)).left == "The job is here to stay."


def test_a_silent_worker_or_api_leaves_the_question_open(fail: Callable[[Queue], Tries]) -> None:
    with pytest.raises(OpsError, match="Worker 1 does not answer"):
        fail(Queue(readable=False))
    with pytest.raises(Unreachable):
        fail(Queue(breaks=True))


def test_jobs_that_fail_on_purpose_count_nowhere() -> None:
    """The name that the services know is the one that is asked for and left out here."""
    assert retries.TYPE == FAILS_ON_PURPOSE
    for module in (kpi, usage, errors, queue, timings, images):
        assert f"'{retries.TYPE}'" in getsource(module).replace('"', "'"), module.__name__
    assert FAILS_ON_PURPOSE in COUNTS
