"""A job process is always at hand, and none is left behind."""

from collections.abc import Iterator

import psutil
import pytest

from services.worker.warm_process import WarmProcess
from tests.waiting import until


@pytest.fixture
def warm_process() -> Iterator[WarmProcess]:
    warm_process = WarmProcess()
    yield warm_process
    warm_process.close()


def test_the_same_process_is_given_until_it_is_retired(warm_process: WarmProcess) -> None:
    first = warm_process.get()
    assert warm_process.get() is first
    assert warm_process.pid == first.pid
    warm_process.retire(first)
    second = warm_process.get()
    assert second.pid != first.pid
    assert not first.alive


def test_a_process_that_died_idle_is_replaced(warm_process: WarmProcess) -> None:
    first = warm_process.get()
    psutil.Process(first.pid).kill()
    until(lambda: not first.alive, "it is dead", 5)
    second = warm_process.get()
    assert second.alive
    assert second.pid != first.pid


def test_a_process_prepared_for_later_comes_at_once_when_it_is_wanted(warm_process: WarmProcess) -> None:
    warm_process.prepare(within=3600)
    assert warm_process.pid is None
    assert warm_process.get().alive


def test_closing_ends_the_process() -> None:
    warm_process = WarmProcess()
    process = warm_process.get()
    warm_process.close()
    assert not process.alive
    assert warm_process.pid is None
