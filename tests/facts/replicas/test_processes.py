"""Rights of processes are read from this host's kernel, and never from somebody else's process."""

import os
from pathlib import Path

import pytest

from tradebot_ops.context import Ops
from tradebot_ops.engines.inspection import EngineInfo, Inspected
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.facts.replicas import processes
from tradebot_ops.settings import load_settings


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    return Ops(load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(tmp_path)}, tmp_path), StubEngine("demo"))


def info(*, here: bool = True) -> EngineInfo:
    return EngineInfo("stub", "1", "Linux", 1, 1, "/", on_this_host=here)


def replica(*, contained: bool = False) -> Inspected:
    return Inspected("api", 1, "no-such-container", "api-1", "running", contained=contained, pid=os.getpid())


def test_this_process_is_seen_as_it_is(ops: Ops) -> None:
    (first, *_) = processes.rights(ops, (replica(),), info())["api-1"]
    assert first.user == os.geteuid()
    assert first.root is (os.geteuid() == 0)


def test_the_number_of_another_hosts_process_says_nothing(ops: Ops) -> None:
    assert processes.rights(ops, (replica(),), info(here=False)) == {}
    assert processes.rights(ops, (replica(contained=True),), info()) == {}


def test_what_ended_meanwhile_is_left_out(ops: Ops, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(processes, "PROC", tmp_path)
    assert processes.rights(ops, (replica(),), info()) == {}
