"""Every check whose facts nobody could learn is an error that says so, or a skip: it never passes, warns or fails."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.paths import ROOT
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError, Unreachable
from tradebot_ops.facts.fact import Fact, NotApplicable, Skip
from tradebot_ops.prodcheck.catalogue import catalogue
from tradebot_ops.prodcheck.check import Check, Stage
from tradebot_ops.prodcheck.runner import Options, Result, State, run
from tradebot_ops.prodcheck.waivers import Waivers
from tradebot_ops.settings import load_settings

CHECKS = [(stage, check) for stage in catalogue() for check in stage.checks]
BRIEF_S = 0.02

Ask = Callable[..., Any]
Without = Callable[[Fact[Any]], Fact[Any]]


def refused(*_: Any) -> Any:
    raise Unreachable("Connection refused.", code="TB-0607", hint="tradebot status")


def not_permitted(*_: Any) -> Any:
    raise OpsError("Permission denied.", code="TB-0607", hint="tradebot status")


def broken(*_: Any) -> Any:
    raise PermissionError(13, "Permission denied")


def not_here(*_: Any) -> Any:
    raise NotApplicable(Skip.ENGINE, "This engine has none.")


def known(*_: Any) -> Any:
    """A value that no judge understands: one that was asked with it says that it broke."""
    return object()


def asked(fact: Fact[Any], ask: Ask, seconds: float = 30.0) -> Fact[Any]:
    return Fact(fact.name, ask, seconds)


@pytest.fixture
def hangs() -> Iterator[Ask]:
    """Never answers while the test runs."""
    over = threading.Event()
    yield lambda *_: over.wait(60)
    over.set()


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    return Ops(load_settings({}, {"TRADEBOT_STATE": str(tmp_path)}, ROOT), StubEngine("notasked"))


def judged(ops: Ops, stage: Stage, check: Check, asks: tuple[Fact[Any], ...]) -> Result:
    """The check as the real runner judges it with these facts in place of its own."""
    alone = replace(check, asks=asks, needs=())
    only = replace(stage, checks=(alone,))
    return run(ops, [only], [alone], Waivers({}), Options(timeout=60), lambda _: None).results[0]


def each_in_turn(check: Check, lacking: Without) -> Iterator[tuple[Fact[Any], ...]]:
    """One of the facts is not to be learnt, each in its turn; then all of them."""
    for place in range(len(check.asks)):
        yield tuple(lacking(fact) if at == place else asked(fact, known) for at, fact in enumerate(check.asks))
    yield tuple(map(lacking, check.asks))


@pytest.mark.parametrize(("stage", "check"), CHECKS, ids=[check.id for _, check in CHECKS])
def test_nobody_could_look(ops: Ops, hangs: Ask, stage: Stage, check: Check) -> None:
    assert check.asks, "a check that asks nothing looks at nothing"
    ways: tuple[Without, ...] = (
        lambda fact: asked(fact, refused),
        lambda fact: asked(fact, not_permitted),
        lambda fact: asked(fact, broken),
    )
    hanging = tuple(asked(fact, hangs, BRIEF_S) for fact in check.asks)
    for asks in (*(asks for way in ways for asks in each_in_turn(check, way)), hanging):
        result = judged(ops, stage, check, asks)
        assert result.state is State.ERROR
        assert result.verdict.message.startswith("Could not look: ")
        assert result.verdict.message.endswith(".")


@pytest.mark.parametrize(("stage", "check"), CHECKS, ids=[check.id for _, check in CHECKS])
def test_there_is_nothing_to_look_at(ops: Ops, stage: Stage, check: Check) -> None:
    for asks in each_in_turn(check, lambda fact: asked(fact, not_here)):
        result = judged(ops, stage, check, asks)
        assert (result.state, result.verdict.skip) == (State.SKIP, Skip.ENGINE)
        assert result.verdict.message == "This engine has none."
