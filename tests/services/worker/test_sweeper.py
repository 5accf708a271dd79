"""What a sweeper sends, and what it leaves overdue: jobs of workers that could not renew their leases."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

import psycopg
import pytest
import redis
from structlog.testing import capture_logs

from services.common.database import DatabaseUnavailable
from services.common.ledger import Due
from services.common.transport import LONG_QUEUE, QUEUE, TransportUnavailable
from services.worker.sweeper import (
    BATCH,
    BATCH_AFTER_LOSS,
    RENEWAL_S,
    SILENCE_S,
    SWEEP_S,
    TRIES_AFTER_LOSS,
    Sweeper,
)

QUEUED, TAKEN_OVER = uuid4(), uuid4()


class Parts:
    """Ledger, schedules and transport of a sweeper, and its clock, which stands still but for ``hangs_s``."""

    def __init__(self) -> None:
        self.now, self.hangs_s = 1000.0, 0.0
        self.away = False
        self.made = 0
        self.forgot = False
        self.due: list[Due] = [
            Due(QUEUED, "noop", taken_over=False, delay_s=0.0),
            Due(TAKEN_OVER, "noop", taken_over=True, delay_s=0.0),
        ]
        self.asked: list[tuple[int, bool]] = []
        self.ways: list[tuple[UUID, str, float, bool]] = []
        self.sent: list[UUID] = []
        self.marked: list[UUID] = []
        self.beating: list[str] = ["worker-1"]
        me = cast("Any", self)
        self.sweeper = Sweeper(me, me, me, lambda: self.beating, lambda: self.now)

    def sweep(self, after_s: float = SWEEP_S) -> list[UUID]:
        """Ids that one round sends, so many seconds after the last one."""
        self.now += after_s
        self.sent = []
        self.sweeper.sweep()
        assert self.marked == self.sent
        return self.sent

    def make_due(self, ahead_s: float) -> int:
        assert ahead_s == SWEEP_S
        self.made += 1
        return self.made

    @contextmanager
    def overdue(self, limit: int, *, ahead_s: float, all_sent: bool, beating: list[str]) -> Iterator[list[Due]]:
        assert (beating, ahead_s) == (self.beating, SWEEP_S)
        self.asked.append((limit, all_sent))
        self.now += self.hangs_s
        due = list(self.due)
        yield due
        self.marked = [each.id for each in due]

    def forgot_everything(self) -> bool:
        if self.away:
            raise TransportUnavailable("Redis does not answer")
        forgot, self.forgot = self.forgot, False
        return forgot

    def send(self, job_id: UUID, queue: str, *, delay_s: float, ahead: bool) -> None:
        self.sent.append(job_id)
        self.ways.append((job_id, queue, delay_s, ahead))


def test_jobs_of_vanished_workers_are_sent_with_the_others() -> None:
    parts = Parts()
    assert [parts.sweep() for _ in range(3)] == [[QUEUED, TAKEN_OVER]] * 3


@pytest.mark.parametrize("hang", [False, True])
def test_after_a_silence_of_postgres_those_that_live_can_renew_their_leases_first(hang: bool) -> None:
    """Whether it was away between two rounds or hung in one."""
    parts = Parts()
    parts.hangs_s = SILENCE_S + 0.1 if hang else 0.0
    assert parts.sweep(SWEEP_S if hang else SILENCE_S + 0.1) == [QUEUED]
    parts.hangs_s = 0.0
    assert parts.sweep(RENEWAL_S - 0.1) == [QUEUED]
    assert parts.sweep(0.1) == [QUEUED, TAKEN_OVER]


def test_without_redis_schedules_make_their_jobs_and_no_silence_of_postgres_is_believed_in() -> None:
    parts = Parts()
    parts.away = True
    for number in range(1, 5):
        parts.now += SWEEP_S
        with pytest.raises(TransportUnavailable):
            parts.sweeper.sweep()
        assert parts.made == number
    assert parts.sent == []
    parts.away = False
    assert parts.sweep() == [QUEUED, TAKEN_OVER]


def test_that_the_schedules_can_be_read_is_no_answer_about_jobs() -> None:
    """As while somebody locks the table of jobs: the schedules are read, and then the round hangs."""
    parts = Parts()
    parts.sweep()
    parts.hangs_s = SILENCE_S - SWEEP_S + 0.1
    assert parts.sweep() == [QUEUED]


def test_each_goes_to_the_queue_of_its_type_when_it_is_due_and_ahead_only_if_it_has_waited() -> None:
    parts = Parts()
    sweep, load = uuid4(), uuid4()
    parts.due += [
        Due(sweep, "sweep", taken_over=False, delay_s=2.5),
        Due(load, "unknown", taken_over=True, delay_s=0.0),
    ]
    with capture_logs() as logs:
        assert len(parts.sweep()) == 4
    assert parts.ways == [
        (QUEUED, QUEUE, 0.0, False),
        (TAKEN_OVER, QUEUE, 0.0, True),
        (sweep, LONG_QUEUE, 2.5, False),
        (load, QUEUE, 0.0, True),
    ]
    shown = {
        "event": "sent again",
        "log_level": "info",
        "jobs": 4,
        "of_schedules": 1,
        "transport_lost_everything": False,
    }
    assert logs == [shown]


def test_nothing_due_is_nothing_to_report() -> None:
    parts = Parts()
    parts.due = []
    with capture_logs() as logs:
        assert parts.sweep() == []
        assert parts.sweeper.sweep() == 0
    assert logs == []


def test_after_a_transport_lost_everything_all_is_sent_in_larger_batches_until_something_was_or_the_tries_end() -> None:
    parts = Parts()
    usual, all_ = (BATCH, False), (BATCH_AFTER_LOSS, True)
    assert BATCH_AFTER_LOSS > BATCH
    parts.sweep()
    parts.forgot = True
    parts.sweep()
    parts.sweep()
    assert parts.asked == [usual, all_, usual]
    # What was lost may not be seen at once: it is looked for so many times.
    parts.asked.clear()
    parts.due, parts.forgot = [], True
    for _ in range(TRIES_AFTER_LOSS + 2):
        parts.sweep()
    assert parts.asked == [all_] * TRIES_AFTER_LOSS + [usual] * 2
    assert TRIES_AFTER_LOSS > 2, "of several sweepers one alone sees it, and may find another at work"


@pytest.mark.parametrize(("after_s", "spared"), [(SILENCE_S, False), (SILENCE_S + 0.01, True)])
def test_how_long_a_silence_is(after_s: float, spared: bool) -> None:
    parts = Parts()
    parts.sweep()
    assert (TAKEN_OVER not in parts.sweep(after_s)) is spared


class Turns:
    """The event for which the thread waits: closes the sweeper after so many turns."""

    def __init__(self, sweeper: Sweeper, turns: int) -> None:
        self.sweeper, self.left = sweeper, turns
        self.waits: list[float] = []
        self.cleared = 0

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.left -= 1
        if self.left < 0:
            self.sweeper.close()

    def set(self) -> None:
        self.left = -1

    def clear(self) -> None:
        self.cleared += 1


@pytest.mark.parametrize(
    "error",
    [DatabaseUnavailable("is\n away"), TransportUnavailable("is\n away"), psycopg.Error("is\n away"),
     redis.RedisError("is\n away")],
)  # fmt: skip
def test_what_is_away_is_swept_again_at_the_next_turn_until_it_is_closed(error: Exception) -> None:
    parts = Parts()
    rounds: list[int] = []

    def sweep() -> int:
        rounds.append(1)
        raise error

    vars(parts.sweeper)["_wanted"] = turns = Turns(parts.sweeper, 3)
    vars(parts.sweeper)["sweep"] = sweep
    with capture_logs() as logs:
        parts.sweeper._loop()
    assert (len(rounds), turns.waits, turns.cleared) == (3, [SWEEP_S] * 4, 4)
    assert logs == [{"event": "not swept", "log_level": "warning", "reason": "is away"}] * 3


def test_a_silence_is_counted_from_the_start_and_not_from_when_the_parts_were_made() -> None:
    parts, started = Parts(), []
    vars(parts.sweeper)["_thread"] = SimpleNamespace(start=lambda: started.append(True))
    parts.now += 10 * SILENCE_S
    parts.sweeper.start()
    assert started == [True]
    assert parts.sweep(SILENCE_S) == [QUEUED, TAKEN_OVER]


def test_its_thread_ends_once_it_is_closed() -> None:
    sweeper = Parts().sweeper
    assert not sweeper.alive
    sweeper.close()
    sweeper.start()
    sweeper._thread.join(30)
    assert not sweeper.alive
    assert not sweeper._wanted.is_set(), "it has looked"
