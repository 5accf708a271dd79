"""Asking again: until an answer, until the deadline, and never what was refused."""

import pytest

from services.jobs.exchange.patience import DEADLINE_S, LimitedError, UnwellError, asked_again
from tests.services.jobs.exchange.fake import Hands


def failing(times: int, error: Exception) -> list[Exception]:
    return [error] * times


def answer(faults: list[Exception]) -> str:
    if faults:
        raise faults.pop()
    return "bars"


def test_it_is_asked_again_until_it_answers() -> None:
    hands, between = Hands(), list[None]()
    faults = failing(3, UnwellError("500"))
    assert asked_again(lambda: answer(faults), hands.clock(), lambda: between.append(None)) == "bars"
    assert len(hands.slept) == len(between) == 3


def test_at_the_deadline_the_last_failure_counts() -> None:
    hands = Hands()
    with pytest.raises(UnwellError, match="500"):
        asked_again(lambda: answer([UnwellError("500")]), hands.clock())
    assert len(hands.slept) > 2
    assert sum(hands.slept) <= DEADLINE_S


def test_what_was_refused_is_not_asked_again() -> None:
    hands = Hands()
    with pytest.raises(LimitedError):
        asked_again(lambda: answer([LimitedError("429", 60)]), hands.clock())
    assert hands.slept == []


def test_who_cancels_meanwhile_is_heard() -> None:
    def cancelled() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        asked_again(lambda: answer([UnwellError("500")]), Hands().clock(), cancelled)
