"""Facts are asked at once, each once, each within its own time, and what fails says why."""

import threading
import time
from pathlib import Path

import pytest

from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.asking import Facts
from tradebot_ops.facts.fact import Answer, Effect, Fact, NotApplicable, NotHere, Skip, Unknown, fact
from tradebot_ops.settings import load_settings


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    return Ops(load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(tmp_path)}, tmp_path), StubEngine("demo"))


def test_a_fact_is_asked_once_for_all_who_want_it(ops: Ops) -> None:
    asked = []

    @fact()
    def base(ops: Ops) -> int:
        asked.append(ops)
        return 20

    @fact(of=(base,))
    def one(ops: Ops, base: int) -> int:
        return base + 1

    @fact(of=(base, one))
    def two(ops: Ops, base: int, one: int) -> int:
        return base + one + 1

    facts = Facts(ops)
    facts.start([two, one, base])
    assert (facts.value(two), facts.value(one), facts.value(base)) == (42, 21, 20)
    assert asked == [ops]
    assert two.name == "test_asking.two"


def test_all_are_asked_at_the_same_time(ops: Ops) -> None:
    meeting = threading.Barrier(12, timeout=5)
    facts = Facts(ops)
    questions: list[Fact[int]] = [Fact(f"f{number}", lambda ops: meeting.wait()) for number in range(12)]
    facts.start(questions)
    assert sorted(answer for each in questions if isinstance(answer := facts.value(each), int)) == list(range(12))


def test_one_that_hangs_is_unknown_in_its_own_time_and_holds_up_nobody(ops: Ops) -> None:
    never = threading.Event()
    hanging: Fact[bool] = Fact("redis.info", lambda ops: never.wait(60), seconds=0.2)
    behind: Fact[bool] = Fact("redis.memory", lambda ops, info: True, of=(hanging,))
    quick: Fact[int] = Fact("quick", lambda ops: 1)
    facts = Facts(ops)
    began = time.monotonic()
    facts.start([behind, quick])
    assert facts.value(quick) == 1
    assert facts.value(behind) == Unknown("redis.info was not known within 0.2 s.")
    assert time.monotonic() - began < 2
    never.set()


def test_all_together_have_one_deadline_however_long_each_may_take(ops: Ops) -> None:
    """Also what depends on one that hangs, and what is asked for only after the end."""
    never = threading.Event()
    hanging: Fact[bool] = Fact("api.served", lambda ops: never.wait(60), seconds=60)
    behind: Fact[bool] = Fact("behind", lambda ops, served: True, seconds=60, of=(hanging,))
    late: Fact[bool] = Fact("late", lambda ops: never.wait(60), seconds=60)
    facts = Facts(ops, within=0.3)
    began = time.monotonic()
    facts.start([behind])
    answer = facts.value(behind)
    assert isinstance(answer, Unknown)
    assert facts.value(hanging) == Unknown("api.served was not known within 0.3 s.")
    assert facts.value(late) == Unknown("late was not known within 0.3 s.")
    assert time.monotonic() - began < 5
    never.set()


def test_a_late_answer_does_not_replace_what_was_reported(ops: Ops) -> None:
    go = threading.Event()
    late: Fact[str] = Fact("late", lambda ops: str(go.wait(60)), seconds=0.1)
    facts = Facts(ops)
    first = facts.value(late)
    go.set()
    for thread in threading.enumerate():
        if thread.name == "fact late":
            thread.join(5)
    assert isinstance(first, Unknown)
    assert facts.value(late) == first


@pytest.mark.parametrize(
    ("raised", "answer"),
    [
        (OpsError("Redis is away.", code="TB-0530", hint="tradebot up"), Unknown("Redis is away.", "tradebot up")),
        (NotApplicable(Skip.ENGINE, "No containers."), NotHere(Skip.ENGINE, "No containers.")),
        (KeyError("x"), Unknown("broken failed: KeyError: 'x'.", "Run the command again with -vv.")),
    ],
)
def test_what_fails_is_an_answer_and_passed_on(
    ops: Ops, raised: Exception, answer: Unknown | NotHere, caplog: pytest.LogCaptureFixture
) -> None:
    def ask(ops: Ops) -> int:
        raise raised

    broken: Fact[int] = Fact("broken", ask)
    behind: Fact[int] = Fact("behind", lambda ops, value: value, of=(broken,))
    facts = Facts(ops)
    assert facts.value(behind) == answer
    assert facts.value(broken) == answer


def test_a_lack_that_is_no_obstacle_is_handed_on(ops: Ops) -> None:
    def away(ops: Ops) -> int:
        raise OpsError("It is away.", code="TB-0501")

    @fact(perhaps=(Fact("away", away), Fact("there", lambda ops: 3)))
    def either(ops: Ops, away: Answer[int], there: Answer[int]) -> tuple[Answer[int], Answer[int]]:
        return away, there

    assert Facts(ops).value(either) == (Unknown("It is away."), 3)


def test_effects_that_are_forbidden_do_not_happen(ops: Ops) -> None:
    def explode(ops: Ops) -> int:
        raise AssertionError("asked")

    canary: Fact[int] = Fact("canary", explode, effect=Effect.CANARY)
    answer = Facts(ops, {Effect.CANARY}).value(canary)
    assert isinstance(answer, NotHere)
    assert answer.reason is Skip.OFFLINE
