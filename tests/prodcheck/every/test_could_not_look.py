"""No check passes or warns where it could not look: with any of its facts unknown, and with every source silent."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.paths import ROOT
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError, Refused, Unreachable
from tradebot_ops.facts.fact import Effect, Fact, Unknown
from tradebot_ops.facts.metrics import promtool
from tradebot_ops.prodcheck import runner
from tradebot_ops.prodcheck.catalogue import catalogue, find
from tradebot_ops.prodcheck.check import Check
from tradebot_ops.prodcheck.runner import Options, Result, State
from tradebot_ops.prodcheck.waivers import Waivers
from tradebot_ops.settings import load_settings
from tradebot_ops.stack.model import Stack

ALL = [check for stage in catalogue() for check in stage.checks]
ASKED = [(check, fact) for check in ALL for fact in check.asks]


class Answers:
    """In place of ``Facts``: one fact is unknown, the others are known and mean nothing."""

    def __init__(self, unknown: Fact[Any]) -> None:
        self._unknown = unknown

    def __call__(self, _ops: Ops, _without: Collection[Effect]) -> "Answers":
        return self

    def start(self, facts: Collection[Fact[Any]]) -> None:
        del facts

    def known(self, _fact: Fact[Any]) -> bool:
        return True

    def seconds(self, _fact: Fact[Any]) -> float:
        return 0.0

    def value(self, fact: Fact[Any]) -> object:
        return Unknown("It is not permitted.", "sudo") if fact is self._unknown else object()


def judged(ops: Ops, check: Check) -> Result:
    """This check, as if all it needs held."""
    stages = [stage for stage in catalogue() if check in stage.checks]
    alone = [replace(stage, checks=(replace(check, needs=()),)) for stage in stages]
    done = runner.run(ops, alone, alone[0].checks, Waivers({}), Options(timeout=60), lambda _: None)
    return done.results[0]


@pytest.fixture(scope="module")
def ops(tmp_path_factory: pytest.TempPathFactory) -> Ops:
    state = tmp_path_factory.mktemp("state")
    return Ops(load_settings({}, {"TRADEBOT_STATE": str(state)}, ROOT), StubEngine("demo"))


@pytest.mark.parametrize(("check", "fact"), ASKED, ids=[f"{check.id}-{fact.name}" for check, fact in ASKED])
def test_a_fact_that_is_unknown_is_an_error_whatever_the_others_say(
    check: Check, fact: Fact[Any], ops: Ops, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "Facts", Answers(fact))
    result = judged(ops, check)
    assert (result.state, result.verdict.message, result.hint) == (
        State.ERROR,
        "Could not look: It is not permitted.",
        "sudo",
    )


#: What a source says that gives no answer, by what ails it.
AILMENTS: Mapping[str, Callable[[str], OpsError]] = {
    "refused": lambda what: Unreachable(f"{what} refuses the connection.", code="TB-0501"),
    "hung": lambda what: Unreachable(f"{what} did not answer within 5 s.", code="TB-0502"),
    "not permitted": lambda what: Refused(f"{what} does not permit that.", code="TB-0503"),
}


class Silent:
    """A client, each of whose methods ends with the same error."""

    def __init__(self, name: str, ails: Callable[[str], OpsError], touched: list[str]) -> None:
        self._name, self._ails, self._touched = name, ails, touched

    def __getattr__(self, name: str) -> Callable[..., NoReturn]:
        def method(*_arguments: object, **_named: object) -> NoReturn:
            self._touched.append(f"{self._name}.{name}")
            raise self._ails(self._name)

        return method


class SilentEngine(StubEngine):
    """Knows which replicas run and says nothing else about them."""

    def __init__(self, ails: Callable[[str], OpsError], touched: list[str]) -> None:
        super().__init__("demo")
        rest = Silent("The engine", ails, touched)
        for name in ("logs", "exec", "stats", "events", "endpoint", "image_facts", "inspected", "info"):
            setattr(self, name, getattr(rest, name))

    def run(self, stack: Stack) -> None:
        self.prepare(stack, lambda _what, _how: None)
        for name, service in stack.services.items():
            for number in range(1, service.replicas + 1):
                self.apply(stack, name, number)


#: The look that it shares asks each replica how it fares; how often it was started is in the list of replicas.
SAW_ENOUGH = frozenset({"SVC-03"})
CLIENTS = ("api", "prometheus", "panels", "alertmanager", "grafana", "redis", "postgres", "postgres_app")


class SilentOps(Ops):
    """A stack whose replicas all run, and none of which answers. ``touched`` is what was asked."""

    def __init__(self, state: Path, ails: Callable[[str], OpsError]) -> None:
        self.touched: list[str] = []
        self.ails = ails
        engine = SilentEngine(ails, self.touched)
        profiles: Sequence[str] = ("monitoring",)
        super().__init__(load_settings({"profiles": profiles}, {"TRADEBOT_STATE": str(state)}, ROOT), engine)
        for name in (*CLIENTS, "postgres_monitor"):
            self.__dict__[name] = Silent(name, ails, self.touched)
        engine.run(self.stack)

    def program(self, name: str) -> Silent:
        return Silent(name, self.ails, self.touched)

    def postgres_as(self, *_login: object) -> Any:
        return self.postgres

    def grafana_as(self, *_login: object) -> Any:
        return self.grafana


@pytest.fixture(scope="module", params=list(AILMENTS.values()), ids=list(AILMENTS))
def silent(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> SilentOps:
    return SilentOps(tmp_path_factory.mktemp("silent"), request.param)


@pytest.mark.parametrize("check", ALL, ids=[check.id for check in ALL])
def test_a_check_whose_source_says_nothing_neither_passes_nor_warns(
    check: Check, silent: SilentOps, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent.touched.clear()
    # A program of this host, and a source like the others: to run all tests of the rules would take it a minute.
    monkeypatch.setattr(promtool, "test_rules", silent.program("promtool").test_rules)
    result = judged(silent, check)
    assert result.verdict.message.endswith("."), result.verdict.message
    assert "The check itself broke" not in result.verdict.message
    if silent.touched and check.id not in SAW_ENOUGH:
        assert result.state not in {State.PASS, State.WARN}, (silent.touched, result.verdict)


@pytest.mark.parametrize("id_", ["ENG-03", "SVC-06", "API-01", "WRK-01", "DAT-01", "MON-02", "ALR-01", "SEC-01"])
def test_what_says_nothing_was_asked(id_: str, silent: SilentOps) -> None:
    silent.touched.clear()
    judged(silent, find(id_)[1])
    assert silent.touched
