"""What a sweeper sends, and what it leaves overdue: jobs of workers that could not renew their leases."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from services.common.ledger import Due
from services.common.transport import TransportUnavailable
from services.worker.sweeper import RENEWAL_S, SILENCE_S, SWEEP_S, Sweeper

QUEUED, TAKEN_OVER = uuid4(), uuid4()


class Parts:
    """Ledger, schedules and transport of a sweeper, and its clock, which stands still but for ``hangs_s``."""

    def __init__(self) -> None:
        self.now, self.hangs_s = 1000.0, 0.0
        self.away = False
        self.made = 0
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
        self.made += 1
        return 0

    @contextmanager
    def overdue(self, limit: int, *, beating: list[str], **options: object) -> Iterator[list[Due]]:
        assert beating == self.beating
        self.now += self.hangs_s
        due = [Due(QUEUED, "x", taken_over=False, delay_s=0.0), Due(TAKEN_OVER, "x", taken_over=True, delay_s=0.0)]
        yield due
        self.marked = [each.id for each in due]

    def forgot_everything(self) -> bool:
        if self.away:
            raise TransportUnavailable("Redis does not answer")
        return False

    def send(self, job_id: UUID, queue: str, **options: object) -> None:
        self.sent.append(job_id)


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
    parts.away = False
    assert parts.sweep() == [QUEUED, TAKEN_OVER]


def test_that_the_schedules_can_be_read_is_no_answer_about_jobs() -> None:
    """As while somebody locks the table of jobs: the schedules are read, and then the round hangs."""
    parts = Parts()
    parts.sweep()
    parts.hangs_s = SILENCE_S - SWEEP_S + 0.1
    assert parts.sweep() == [QUEUED]
