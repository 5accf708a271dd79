"""When a job process is started, kept, replaced and ended; the processes themselves stand in here."""

from collections.abc import Iterator
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from services.worker import warm_process
from services.worker.process import ChildDied
from services.worker.warm_process import WarmProcess


class Process:
    alive = True

    def __init__(self, pid: int, fails: Exception | None, *, alive: bool) -> None:
        self.pid, self.fails, self.alive, self.ended = pid, fails, alive, 0

    def wait_ready(self) -> None:
        if self.fails:
            raise self.fails

    def end(self) -> int:
        self.alive = False
        self.ended += 1
        return -9


class Started:
    """Processes in the order in which they were started; ``fails`` ends the start of the next ones."""

    def __init__(self) -> None:
        self.made: list[Process] = []
        self.fails: Exception | None = None
        self.no_process: Exception | None = None
        self.born_dead = False

    def __call__(self) -> Process:
        if self.no_process:
            raise self.no_process
        self.made.append(Process(len(self.made) + 1, self.fails, alive=not self.born_dead))
        return self.made[-1]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    made = Started()
    monkeypatch.setattr(warm_process, "JobProcess", made)
    return made


@pytest.fixture
def warm(started: Started) -> Iterator[WarmProcess]:
    made = WarmProcess()
    yield made
    made.close()


def taken(warm: WarmProcess) -> int:
    return warm.get().pid


def test_the_same_process_is_given_until_it_is_used_up(warm: WarmProcess, started: Started) -> None:
    first = warm.get()
    warm.give_back(first, used_up=False)
    assert (taken(warm), warm.pid) == (1, 1)
    warm.give_back(first, used_up=True)
    assert taken(warm) == 2
    assert [each.ended for each in started.made] == [1, 0]


def test_after_one_that_is_used_up_the_next_is_started_before_it_is_wanted(warm: WarmProcess, started: Started) -> None:
    warm.retire(warm.get())
    assert warm._next is not None
    assert warm._next.result().pid == 2


def test_one_that_is_not_kept_has_one_job(started: Started) -> None:
    cold = WarmProcess(keep=False)
    cold.prepare()
    cold.wait_ready()
    assert (started.made, cold.pid) == ([], None)
    for pid in (1, 2):
        process = cold.get()
        assert process.pid == pid
        cold.give_back(process, used_up=False)
        assert not process.alive
    assert cold._next is None
    cold.close()


@pytest.mark.usefixtures("started")
def test_one_prepared_for_later_comes_at_once_when_it_is_wanted(warm: WarmProcess) -> None:
    warm.prepare(within=3600)
    assert warm.pid is None
    assert taken(warm) == 1


@pytest.mark.usefixtures("started")
def test_one_prepared_now_is_there_unasked_and_only_once(warm: WarmProcess, started: Started) -> None:
    for _ in range(2):
        warm.prepare()
        assert warm._next is not None
        assert warm._next.result().pid == 1
    assert warm.pid == 1


def test_waiting_for_it_starts_it(warm: WarmProcess) -> None:
    warm.wait_ready()
    assert warm.pid == 1


def test_one_that_died_idle_is_nobodys_failure(warm: WarmProcess, started: Started) -> None:
    cast("Any", warm.get()).alive = False
    with capture_logs() as logs:
        assert taken(warm) == 2
    assert logs == [{"event": "idle job process died", "log_level": "warning", "pid": 1, "exit_code": -9}]
    assert [each.ended for each in started.made] == [1, 0]


def test_processes_that_die_as_soon_as_they_are_started_are_given_up(warm: WarmProcess, started: Started) -> None:
    started.born_dead = True
    with pytest.raises(ChildDied, match="^job processes die as soon as they are started$"):
        warm.get()
    assert len(started.made) == 2
    started.born_dead = False
    assert taken(warm) == 3


@pytest.mark.parametrize("error", [ChildDied("silent"), OSError("silent")])
def test_one_that_does_not_start_is_ended_and_the_next_one_tried(
    warm: WarmProcess, started: Started, error: Exception
) -> None:
    started.fails = error
    with pytest.raises(ChildDied, match="^no job process could be started: silent$"):
        warm.get()
    assert [each.ended for each in started.made] == [1]
    assert warm.pid is None
    started.fails, started.no_process = None, error
    with pytest.raises(ChildDied, match="silent"):
        warm.get()
    started.no_process = None
    assert taken(warm) == 2


@pytest.mark.usefixtures("started")
def test_one_that_did_not_start_has_no_pid(warm: WarmProcess, started: Started) -> None:
    started.fails = ChildDied("silent")
    warm.prepare()
    assert warm._next is not None
    assert warm._next.exception() is not None
    assert warm.pid is None


def test_the_end_of_the_worker_ends_the_process_and_starts_none(started: Started) -> None:
    warm = WarmProcess()
    process = warm.get()
    warm.close()
    assert (process.alive, warm.pid) == (False, None)

    late = WarmProcess()
    late.prepare(within=3600)
    future = late._next
    late.close()
    assert future is not None
    assert str(future.exception()) == "the worker ends"
    assert len(started.made) == 1


@pytest.mark.usefixtures("started")
def test_the_end_of_a_worker_whose_process_did_not_start_is_no_failure(started: Started) -> None:
    warm = WarmProcess()
    started.fails = ChildDied("silent")
    warm.prepare()
    assert warm._next is not None
    assert warm._next.exception() is not None
    warm.close()
    WarmProcess().close()
