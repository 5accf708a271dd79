"""A job process is always at hand, and none is left behind."""

from collections.abc import Iterator

import psutil
import pytest

from services.worker.nursery import Nursery
from tests.waiting import until


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    nursery = Nursery()
    yield nursery
    nursery.close()


def test_the_same_process_is_given_until_it_is_retired(nursery: Nursery) -> None:
    first = nursery.get()
    assert nursery.get() is first
    assert nursery.pid == first.pid
    nursery.retire(first)
    second = nursery.get()
    assert second.pid != first.pid
    assert not first.alive


def test_a_process_that_died_idle_is_replaced(nursery: Nursery) -> None:
    first = nursery.get()
    psutil.Process(first.pid).kill()
    until(lambda: not first.alive, "it is dead", 5)
    second = nursery.get()
    assert second.alive
    assert second.pid != first.pid


def test_a_process_prepared_for_later_comes_at_once_when_it_is_wanted(nursery: Nursery) -> None:
    nursery.prepare(within=3600)
    assert nursery.pid is None
    assert nursery.get().alive


def test_closing_ends_the_process() -> None:
    nursery = Nursery()
    process = nursery.get()
    nursery.close()
    assert not process.alive
    assert nursery.pid is None
