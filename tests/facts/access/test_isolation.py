"""The stores are tried from outside only once they were reached from inside."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.paths import ROOT
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import ExecResult, Replica, State
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import NotRunning, OpsError
from tradebot_ops.facts.access import isolation
from tradebot_ops.facts.asking import Facts
from tradebot_ops.facts.fact import Effect, NotHere, Skip
from tradebot_ops.settings import load_settings

API = (Replica("api", 1, "api-1", "demo-api-1", State.RUNNING),)
ADDRESSES = {"redis": "172.18.0.2", "postgres": "172.18.0.3"}
TARGETS = ("172.18.0.2:6379", "172.18.0.3:5432")


class Network(StubEngine):
    """``inside`` and ``outside`` are what Python says there."""

    inside: str = json.dumps(dict.fromkeys(TARGETS, ""))
    outside: str = json.dumps({TARGETS[0]: "timed out", TARGETS[1]: ""})

    def exec(self, replica: Replica, command: Sequence[str], *, timeout: float | None = 30) -> ExecResult:
        asked = [word for word in command if word in (*ADDRESSES, *TARGETS)]
        return ExecResult(0, json.dumps(ADDRESSES) if asked == list(ADDRESSES) else self.inside)

    def ask_outside(self, image: str, command: Sequence[str]) -> str:
        assert image == "tradebot/app:latest"
        assert command[-2:] == list(TARGETS)
        return self.outside


def made(tmp_path: Path, engine: StubEngine) -> Ops:
    environ = {"TRADEBOT_STATE": str(tmp_path), "HOME": str(tmp_path), "TRADEBOT_PROFILES": "core"}
    return Ops(load_settings({"project": "demo"}, environ, ROOT), engine)


def test_each_store_is_told_apart(tmp_path: Path) -> None:
    assert isolation.stores(made(tmp_path, Network()), API) == {"redis": "timed out", "postgres": ""}


def test_a_store_that_nobody_reaches_proves_nothing(tmp_path: Path) -> None:
    engine = Network()
    engine.inside = json.dumps({TARGETS[0]: "", TARGETS[1]: "refused"})
    with pytest.raises(OpsError, match=r"The API itself does not reach 172\.18\.0\.3:5432: refused"):
        isolation.stores(made(tmp_path, engine), API)


def test_a_container_that_cannot_ask_proves_nothing(tmp_path: Path) -> None:
    engine = Network()
    engine.outside = "exec: python: not found"
    with pytest.raises(OpsError, match="python: not found"):
        isolation.stores(made(tmp_path, engine), API)
    with pytest.raises(NotRunning):
        isolation.stores(made(tmp_path, Network()), ())


def test_processes_have_no_network_of_their_own_and_offline_nothing_is_made(tmp_path: Path) -> None:
    found = Facts(made(tmp_path, StubEngine())).value(isolation.stores)
    assert isinstance(found, NotHere)
    assert found.reason is Skip.ENGINE
    offline = Facts(made(tmp_path, Network()), {Effect.WRITES}).value(isolation.stores)
    assert isinstance(offline, NotHere)
    assert offline.reason is Skip.OFFLINE
