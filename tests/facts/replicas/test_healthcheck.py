"""What a health check says of a replica: the engine's verdict, or what the check itself says."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.facts.replicas.test_condition import stack_with
from tradebot_ops.engines.base import Address, ExecResult, Health, Published, Replica, State
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.facts.replicas.condition import condition_of, sample_of
from tradebot_ops.facts.replicas.healthcheck import program
from tradebot_ops.progress import ignore_progress
from tradebot_ops.stack.model import Healthcheck, Probe, Service, Stack

DB = Service("db", "i", ("run",), healthcheck=Healthcheck(("CMD", "ask", "db")))
UP = Replica("db", 1, "id", "demo-db-1", State.RUNNING)
ASKED = ("ask", "db")


def engine(answer: ExecResult, *words: str) -> StubEngine:
    """A stub on which the replica runs and the command answers so."""
    found = StubEngine("demo", answers={words or ASKED: answer})
    stack = Stack("demo", Path(), (), {"db": DB})
    found.prepare(stack, ignore_progress)
    found.apply(stack, "db", 1)
    return found


@pytest.mark.parametrize(
    ("service", "words", "answer", "ok", "detail"),
    [
        (DB, ASKED, ExecResult(0, "fine"), True, "its health check passes"),
        (DB, ASKED, ExecResult(3, "no\nnot yet\n"), False, "its health check ends with exit code 3: not yet"),
        (replace(DB, healthcheck=Healthcheck(("CMD-SHELL", "x | y"))), ("/bin/sh", "-c", "x | y"), ExecResult(1, ""),
         False, "its health check ends with exit code 1"),
        (replace(DB, healthcheck=Healthcheck(("NONE",))), ASKED, ExecResult(1, ""), True, "is running"),
        (replace(DB, one_shot=True), ASKED, ExecResult(1, ""), True, "is running"),
        (DB, ASKED, ExecResult(127, ""), True, "runs; its health check needs ask, which this host does not have"),
    ],
)  # fmt: skip
def test_without_an_engines_verdict_the_check_is_run(
    service: Service, words: tuple[str, ...], answer: ExecResult, ok: bool, detail: str
) -> None:
    stub = engine(answer, *words)
    (found,) = stub.list()
    sample = sample_of(stub, service, found)
    assert (sample.ok, sample.detail) == (ok, detail)


def test_a_port_that_is_silent_outweighs_a_check_that_cannot_be_run() -> None:
    stub = engine(ExecResult(127, ""))
    (found,) = stub.list()
    silent = replace(found, published=(Published(1, Address("127.0.0.1", 1)),))
    assert not sample_of(stub, DB, silent).ok


@pytest.mark.parametrize(
    ("health", "word"),
    [(Health.HEALTHY, "ready"), (Health.STARTING, "starting"), (Health.UNHEALTHY, "unhealthy")],
)
def test_the_engines_verdict_counts_where_it_has_one(health: Health, word: str) -> None:
    assert condition_of(stack_with(replace(DB, healthcheck=None)), replace(UP, health=health)).word == word


def test_a_probe_is_asked_before_a_check() -> None:
    probed = replace(DB, probe=Probe("tcp", 1))
    at = replace(UP, published=(Published(1, Address("127.0.0.1", 1)),), health=Health.HEALTHY)
    assert condition_of(stack_with(probed), at).word == "unhealthy"


@pytest.mark.parametrize(
    ("test", "name"),
    [
        (("CMD", "curl", "-f", "x"), "curl"),
        (("CMD-SHELL", "A=1 redis-cli ping | grep PONG"), "redis-cli"),
        (("CMD-SHELL", "unclosed 'quote"), ""),
    ],
)
def test_names_the_program_of_a_check(test: tuple[str, ...], name: str) -> None:
    assert program(Healthcheck(test)) == name
