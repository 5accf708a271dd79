"""How long a stopping worker's job may go on, and what is said about it."""

from dataclasses import replace
from typing import Any, cast

import pytest

from tradebot_ops.engines.base import Replica, State
from tradebot_ops.errors import Unreachable
from tradebot_ops.operations.converge.drain import HANDBACK_SECONDS, Drain, promise
from tradebot_ops.stack.model import Service

WORKER = Service("worker", "w", ("work",), environment={"WORKER_GRACE_SECONDS": "45"})


@pytest.mark.parametrize(
    ("service", "drain", "said"),
    [
        (WORKER, None, "its job has up to 45 s, then it is handed back"),
        (WORKER, 300, "its job has up to 300 s, then it is handed back"),
        (WORKER, 0, "its job is handed back"),
        (replace(WORKER, environment={}), None, "its job has up to 30 s, then it is handed back"),
        (
            replace(WORKER, environment={"WORKER_GRACE_SECONDS": "?"}),
            1,
            "its job has up to 1 s, then it is handed back",
        ),
    ],
)
def test_what_becomes_of_a_job(service: Service, drain: float | None, said: str) -> None:
    assert promise(service, drain) == said


class World:
    """An engine and a Redis that keep what they were asked for."""

    def __init__(self, *, away: bool = False) -> None:
        self.graces: list[tuple[Replica, float]] = []
        self.granted: list[tuple[list[str], float]] = []
        self.away = away
        self.engine = self.redis = self

    def stop(self, replica: Replica, grace: float) -> None:
        self.graces.append((replica, grace))

    def grant_drain(self, names: Any, seconds: float) -> None:
        if self.away:
            raise Unreachable("Redis is away.", code="TB-0501")
        self.granted.append((list(names), seconds))


def replica(service: str) -> Replica:
    return Replica(service, 2, "id", f"demo-{service}-2", State.RUNNING)


@pytest.mark.parametrize(
    ("service", "seconds", "grace"),
    [
        ("worker", None, 60.0),
        ("worker", 7.0, 7.0 + HANDBACK_SECONDS),
        ("worker", 0.0, HANDBACK_SECONDS),
        ("worker", 300.0, 300.0 + HANDBACK_SECONDS),
        ("api", 7.0, 60.0),
    ],
)
def test_the_job_of_a_worker_gets_the_time_that_was_granted(service: str, seconds: float | None, grace: float) -> None:
    world, leaving = World(), replica(service)
    drain = Drain(cast("Any", world), seconds)
    drain.stop(leaving, 60.0)
    assert world.graces == [(leaving, grace)]
    assert [granted for _, granted in world.granted] == (
        [seconds] if service == "worker" and seconds is not None else []
    )
    assert all("worker-2" in names for names, _ in world.granted)
    assert drain.warnings == []


@pytest.mark.parametrize(("seconds", "grace"), [(7.0, 60.0), (300.0, 300.0 + HANDBACK_SECONDS)])
def test_a_worker_that_heard_of_no_other_time_keeps_its_usual_one(seconds: float, grace: float) -> None:
    world, leaving = World(away=True), replica("worker")
    drain = Drain(cast("Any", world), seconds)
    drain.stop(leaving, 60.0)
    assert world.graces == [(leaving, grace)]
    assert drain.warnings == ["worker-2 gave its job the usual time, since the wish did not reach it: Redis is away."]
