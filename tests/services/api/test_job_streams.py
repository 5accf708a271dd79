"""Streams of jobs: one look for all, nothing kept for a reader that is slow, and an end."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.api.job_streams import JobStreams, News, Stream, TooManyStreams
from services.common.database import DatabaseUnavailable
from services.common.ledger import State
from services.common.ledger.watch import Seen, Step

JOB, OTHER = uuid4(), uuid4()


def step(number: int, state: State) -> Step:
    return Step(number, datetime(2026, 11, 27, tzinfo=UTC), state, "w1", "")


QUEUED, RUNNING, DONE = step(1, State.QUEUED), step(2, State.RUNNING), step(7, State.SUCCEEDED)


class Ledger:
    """Gives each answer of a job once, the last one again and again."""

    def __init__(self) -> None:
        self.asked: list[Mapping[UUID, int]] = []
        self.answers: dict[UUID, list[Seen]] = {}
        self.away = 0

    def look(self, after: Mapping[UUID, int]) -> dict[UUID, Seen]:
        self.asked.append(dict(after))
        if self.away:
            self.away -= 1
            raise DatabaseUnavailable("it restarts")
        return {job: self._next(job) for job in after if job in self.answers}

    def _next(self, job: UUID) -> Seen:
        answers = self.answers[job]
        return answers.pop(0) if len(answers) > 1 else answers[0]


def seen(*steps: Step, progress: float = 0.0) -> Seen:
    return Seen(steps[-1].state, progress, "", steps)


async def read(stream: Stream) -> list[News]:
    return [news async for news in stream.news()]


def run(work: Callable[[], Awaitable[Any]]) -> Any:
    return asyncio.run(asyncio.wait_for(work(), 20))


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(10_000):
        if condition():
            return
        await asyncio.sleep(0.001)
    pytest.fail("it never came")


def test_each_step_and_each_progress_comes_once_and_the_end_last() -> None:
    ledger = Ledger()
    half = seen(QUEUED, RUNNING, progress=0.5)
    ledger.answers[JOB] = [seen(QUEUED), half, half, half, seen(QUEUED, RUNNING, DONE, progress=1.0)]

    async def work() -> list[News]:
        with JobStreams(ledger.look, look_s=0).open(JOB, 0) as stream:
            return await read(stream)

    assert run(work) == [
        News((QUEUED,)),
        News((RUNNING,), progress=(0.5, "")),
        News((DONE,), over=State.SUCCEEDED),
    ]
    assert [after[JOB] for after in ledger.asked] == [0, 1, 2, 2, 2]


def test_one_that_was_removed_ends_too() -> None:
    async def work() -> list[News]:
        with JobStreams(Ledger().look, look_s=0).open(JOB, 0) as stream:
            return await read(stream)

    assert run(work) == [News((), gone=True)]


def test_one_look_serves_all_from_where_each_is() -> None:
    ledger = Ledger()
    ledger.answers = {JOB: [seen(QUEUED, RUNNING, DONE)], OTHER: [seen(DONE)]}

    async def work() -> tuple[list[News], ...]:
        streams = JobStreams(ledger.look, look_s=0)
        with streams.open(JOB, 1) as first, streams.open(JOB, 2) as second, streams.open(OTHER, 0) as third:
            return await asyncio.gather(read(first), read(second), read(third))

    first, second, third = run(work)
    assert ledger.asked == [{JOB: 1, OTHER: 0}]
    assert [news[0].steps for news in (first, second, third)] == [(RUNNING, DONE), (DONE,), (DONE,)]


def test_nothing_is_looked_up_for_a_reader_that_does_not_read() -> None:
    ledger = Ledger()
    ledger.answers[JOB] = [seen(QUEUED), seen(QUEUED, RUNNING, DONE)]

    async def work() -> list[News]:
        with JobStreams(ledger.look, look_s=0).open(JOB, 0) as stream:
            await until(lambda: not stream.waits)
            await asyncio.sleep(0.05)  # a hundred turns of the task that looks
            assert len(ledger.asked) == 1
            return await read(stream)

    assert [news.steps for news in run(work)] == [(QUEUED,), (RUNNING, DONE)]


def test_an_outage_of_the_database_is_waited_for() -> None:
    ledger = Ledger()
    ledger.answers[JOB], ledger.away = [seen(DONE)], 3

    async def work() -> list[News]:
        with JobStreams(ledger.look, look_s=0).open(JOB, 0) as stream:
            return await read(stream)

    assert [news.over for news in run(work)] == [State.SUCCEEDED]
    assert len(ledger.asked) == 4


def test_there_are_so_many_and_no_more_until_one_is_closed() -> None:
    async def work() -> None:
        streams = JobStreams(Ledger().look, most=2)
        with ExitStack() as stack:
            stack.enter_context(streams.open(JOB, 0))
            with streams.open(JOB, 0), pytest.raises(TooManyStreams), streams.open(JOB, 0):
                pytest.fail("it was opened")
            stack.enter_context(streams.open(JOB, 0))

    run(work)


def test_they_end_with_the_api_and_none_is_opened_then() -> None:
    ledger = Ledger()
    ledger.answers[JOB] = [seen(QUEUED)]

    async def work() -> list[News]:
        streams = JobStreams(ledger.look, look_s=0)
        with streams.open(JOB, 0) as stream:
            reading = asyncio.create_task(read(stream))
            await until(lambda: bool(ledger.asked))
            streams.close()
            with pytest.raises(TooManyStreams), streams.open(JOB, 0):
                pytest.fail("it was opened")
            return await reading

    assert run(work) == [News((QUEUED,))]


@pytest.mark.parametrize(("last", "waits"), [(RUNNING, True), (DONE, False), (None, False)])
def test_nothing_is_looked_up_any_more_for_a_job_that_is_over_or_gone(last: Step | None, waits: bool) -> None:
    stream = Stream(JOB, 0)
    found = [stream.waits]
    stream.offer(None if last is None else seen(QUEUED, last))
    found.append(stream.waits)  # what was found is not taken yet
    assert stream._news.get_nowait() is not None
    found.append(stream.waits)
    assert found == [True, False, waits]
