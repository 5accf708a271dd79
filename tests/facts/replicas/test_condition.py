"""How a replica is, in the words of `status`: the engine's, and where it runs what the service itself answers."""

import socket
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Address, Health, Published, Replica, State
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.facts.replicas.condition import condition_of
from tradebot_ops.stack.model import Probe, Service, Stack

API = Service("api", "i", (), probe=Probe("tcp", 8000))
MIGRATE = Service("migrate", "i", (), one_shot=True)
UP = Replica("api", 1, "id", "demo-api-1", State.RUNNING)


def stack_with(*services: Service) -> Ops:
    described = Stack("demo", Path(), (), {each.name: each for each in services}, inactive=("grafana",))
    return cast(Ops, SimpleNamespace(stack=described, engine=StubEngine("demo")))


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"service": "grafana"}, "running"),
        ({"service": "gone"}, "orphan"),
        ({"service": "migrate", "state": State.EXITED, "exit_code": 0}, "done"),
        ({"service": "migrate", "state": State.EXITED, "exit_code": 2}, "failed"),
        ({"state": State.EXITED, "exit_code": 0}, "stopped"),
        ({"state": State.RESTARTING}, str(State.RESTARTING)),
    ],
)
def test_what_the_engine_knows_needs_no_question(fields: dict[str, Any], word: str) -> None:
    assert condition_of(stack_with(API, MIGRATE), replace(UP, **fields)).word == word


@pytest.mark.parametrize(("listens", "word"), [(True, "ready"), (False, "unhealthy")])
def test_a_process_that_runs_is_ready_only_if_it_answers(listens: bool, word: str) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        if listens:
            sock.listen()
        at = Published(8000, Address(*sock.getsockname()))
        assert condition_of(stack_with(API), replace(UP, published=(at,))).word == word


def test_what_only_the_engines_host_reaches_is_as_the_engine_says() -> None:
    away = stack_with(replace(API, probe=Probe("tcp", 9)))
    assert condition_of(away, replace(UP, health=Health.HEALTHY)).detail == "is healthy, says the engine"
    for other in Health:
        assert other is Health.HEALTHY or condition_of(away, replace(UP, health=other)).word == "unhealthy"
