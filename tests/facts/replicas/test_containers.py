"""Replicas in full: containers where there are any, else the true reason."""

from pathlib import Path

import pytest

from tradebot_ops.context import Ops
from tradebot_ops.engines.inspection import Inspected
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.facts import engine
from tradebot_ops.facts.fact import NotApplicable, Skip
from tradebot_ops.facts.replicas import containers
from tradebot_ops.settings import load_settings


def each(name: str, **fields: bool) -> Inspected:
    return Inspected(name, 1, name, name, "running", **fields)  # type: ignore[arg-type]  # all of them are flags


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    return Ops(load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(tmp_path)}, tmp_path), StubEngine("demo"))


def test_an_engine_that_tells_no_more_is_skipped(ops: Ops) -> None:
    for ask in (containers.inspected, engine.info, engine.scratch):
        with pytest.raises(NotApplicable) as caught:
            ask(ops)
        assert caught.value.answer.reason is Skip.ENGINE


def test_one_offs_are_no_replicas_and_processes_no_containers(ops: Ops) -> None:
    replica, one_off, process = each("api"), each("x", one_off=True), each("redis", contained=False)
    assert containers.replicas(ops, (replica, one_off)) == (replica,)
    assert containers.containers(ops, (replica,)) == (replica,)
    with pytest.raises(NotApplicable) as caught:
        containers.containers(ops, (process,))
    assert caught.value.answer.reason is Skip.ENGINE


def test_where_nothing_was_started_there_is_nothing_to_judge_yet(ops: Ops) -> None:
    assert containers.containers(ops, ()) == ()
