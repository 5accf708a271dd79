"""What running processes say of the environment they work for."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from tradebot_ops.clients.api import Api
from tradebot_ops.context import Ops
from tradebot_ops.engines.inspection import Inspected
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.facts.replicas import environments
from tradebot_ops.settings import load_settings


def each(name: str, environment: dict[str, str], command: tuple[str, ...] = (), status: str = "running") -> Inspected:
    return Inspected(name, 1, name, name, status, environment=environment, command=command)


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    environ = {"TRADEBOT_STATE": str(tmp_path), "ENVIRONMENT": "staging"}
    made = Ops(load_settings({}, environ, tmp_path), StubEngine("demo"))
    made.api = cast("Api", SimpleNamespace(health=lambda: {"environment": "dev"}))
    return made


def test_each_is_asked_for_itself(ops: Ops) -> None:
    replicas = (
        each("api", {"ENVIRONMENT": "dev", "DEBUG": "false"}),
        each("worker", {"ENVIRONMENT": "production", "DEBUG": "1"}),
        each("redis", {}, ("redis-server", "--reload")),
        each("old", {"ENVIRONMENT": "dev"}, status="exited"),
    )
    found = environments.reported(ops, replicas)
    assert (found.declared, found.api) == ("staging", "dev")
    assert found.replicas == {"api-1": "dev", "worker-1": "production"}
    assert found.debugging == ("worker-1", "redis-1")
