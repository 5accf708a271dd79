"""A question ends in time, whatever it waits for."""

import threading
import time

import pytest

from tradebot_ops.clients.connection.deadline import within


def test_the_answer_is_passed_on() -> None:
    assert within(5, lambda: 42) == 42


def test_an_error_is_raised_where_the_answer_is_awaited() -> None:
    def fail() -> int:
        raise LookupError("no such thing")

    with pytest.raises(LookupError, match="no such thing"):
        within(5, fail)


def test_what_takes_too_long_is_given_up() -> None:
    end = threading.Event()
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        within(0.05, lambda: end.wait(20), end.set)
    assert time.monotonic() - began < 5
    assert end.is_set()


def test_nobody_is_given_up_who_answers() -> None:
    end = threading.Event()
    within(5, lambda: None, end.set)
    assert not end.is_set()
