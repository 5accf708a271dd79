"""A rotation is proved by logging in: the new value comes within some seconds, the old one goes within some more."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tests.operations.seen import refusal
from tradebot_ops.engines.base import Replica, State
from tradebot_ops.errors import LoginRefused, OpsError, Refused
from tradebot_ops.operations.rotation import proof
from tradebot_ops.operations.rotation.pending import Pending
from tradebot_ops.settings import Secret

BEGUN = Pending("api_key", Secret("old"), Secret("new"))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Time goes on by what is slept."""
    found = SimpleNamespace(now=0.0)

    def sleep(seconds: float) -> None:
        found.now += seconds

    monkeypatch.setattr(proof, "time", SimpleNamespace(monotonic=lambda: found.now, sleep=sleep))
    return found


def refused_until(clock: SimpleNamespace, at: float, error: Exception) -> Callable[[], None]:
    def use() -> None:
        if clock.now < at:
            raise error

    return use


def taken_until(clock: SimpleNamespace, at: float) -> Callable[[], None]:
    def use() -> None:
        if clock.now >= at:
            raise LoginRefused("no", code="TB-0561")

    return use


@pytest.mark.parametrize("error", [LoginRefused("no", code="TB-0561"), Refused("no", code="TB-0540")])
@pytest.mark.parametrize(("comes_at", "taken"), [(0, True), (4.5, True), (6.5, False), (1e9, False)])
def test_the_new_one_is_waited_for(clock: SimpleNamespace, error: Exception, comes_at: float, taken: bool) -> None:
    if taken:
        proof.prove_taken(BEGUN, "api", refused_until(clock, comes_at, error))
        assert clock.now == comes_at, "and no longer than it takes"
        return
    with pytest.raises(OpsError) as caught:
        proof.prove_taken(BEGUN, "api", refused_until(clock, comes_at, error))
    assert (caught.value.code, "api goes on with the old api_key" in caught.value.message) == ("TB-0136", True)
    assert proof.NEW_COMES_WITHIN_S < clock.now <= proof.NEW_COMES_WITHIN_S + 2 * proof.PAUSE_S


@pytest.mark.parametrize(("goes_at", "refused"), [(0, True), (19.5, True), (22, False), (1e9, False)])
def test_the_old_one_is_waited_for_until_it_is_refused(clock: SimpleNamespace, goes_at: float, refused: bool) -> None:
    if refused:
        proof.prove_refused(BEGUN, taken_until(clock, goes_at))
        assert clock.now == goes_at
        return
    with pytest.raises(OpsError) as caught:
        proof.prove_refused(BEGUN, taken_until(clock, goes_at))
    assert (caught.value.code, "still accepted" in caught.value.message) == ("TB-0136", True)
    assert proof.OLD_GOES_WITHIN_S < clock.now <= proof.OLD_GOES_WITHIN_S + 2 * proof.PAUSE_S


def test_a_value_that_stays_the_same_is_not_waited_for(clock: SimpleNamespace) -> None:
    same = Pending("api_key", Secret("same"), Secret("same"))
    proof.prove_refused(same, lambda: None)
    assert clock.now == 0


def test_whoever_does_not_answer_has_refused_nothing(clock: SimpleNamespace) -> None:
    """Else a service that is away would pass for one that refuses the old value."""

    def away() -> None:
        raise OpsError("away", code="TB-0501")

    for prove in (lambda: proof.prove_refused(BEGUN, away), lambda: proof.prove_taken(BEGUN, "api", away)):
        with pytest.raises(OpsError) as caught:
            prove()
        assert caught.value.code == "TB-0501"


@pytest.mark.parametrize(
    ("service", "state", "expected"),
    [
        ("api", State.RUNNING, True),
        ("api", State.RESTARTING, True),
        ("api", State.EXITED, False),
        ("redis", State.RUNNING, False),
    ],
)
def test_a_service_runs_while_one_of_its_replicas_does(service: str, state: State, expected: bool) -> None:
    ended = Replica("api", 1, "api-1", "demo-api-1", State.EXITED)
    other = Replica(service, 2, f"{service}-2", f"demo-{service}-2", state)
    ops: Any = SimpleNamespace(engine=SimpleNamespace(list=lambda: (ended, other)))
    assert proof.runs(ops, "api") is expected


def test_sentences(clock: SimpleNamespace) -> None:
    seen = []
    for prove in (
        lambda: proof.prove_taken(BEGUN, "api", refused_until(clock, 1e9, LoginRefused("no", code="TB-0561"))),
        lambda: proof.prove_refused(BEGUN, lambda: None),
    ):
        with pytest.raises(OpsError) as caught:
            prove()
        seen.append(refusal(caught.value))
    assert seen == [
        (
            "TB-0136",
            "The service api goes on with the old api_key: it was started by an older release.",
            "tradebot restart api; then again: tradebot secrets rotate api_key",
        ),
        (
            "TB-0136",
            "The new api_key is in force, and the old one is still accepted.",
            "Again: tradebot secrets rotate api_key",
        ),
    ]
