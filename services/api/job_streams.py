"""Streams of what happens to jobs: one look at the ledger, twice a second, serves all of them.

The ledger is asked and not Redis, so that streams go on while Redis is away.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import psycopg
import structlog

from services.common.database import DatabaseUnavailable
from services.common.ledger import State
from services.common.ledger.watch import Seen, Step

LOOK_S = 0.5
MOST = 200

Look = Callable[[Mapping[UUID, int]], dict[UUID, Seen]]

log = structlog.get_logger(__name__)


class TooManyStreams(Exception):  # noqa: N818 - an observation
    """So many are open already, or the API ends."""


@dataclass(frozen=True, slots=True)
class News:
    """``progress`` and ``note`` where they changed; ``over`` once the job has ended, or is gone."""

    steps: tuple[Step, ...]
    progress: tuple[float, str] | None = None
    over: State | None = None
    gone: bool = False


class Stream:
    """One reader of one job, from the step after ``after`` on.

    Nothing is looked up for a reader that has not taken what was found before: a slow one costs no memory, and misses
    no step, for the ledger keeps them.
    """

    def __init__(self, job_id: UUID, after: int) -> None:
        self.job_id = job_id
        self.after = after
        self._shown: tuple[float, str] | None = None
        self._news: asyncio.Queue[News | None] = asyncio.Queue(1)
        self._over = False

    async def news(self) -> AsyncIterator[News]:
        """Until the job is over or gone, or the API ends."""
        while (news := await self._news.get()) is not None:
            yield news
            if news.over or news.gone:
                return

    @property
    def waits(self) -> bool:
        return self._news.empty() and not self._over

    def offer(self, seen: Seen | None) -> None:
        """Hand on what is new of it; None where the job is gone."""
        self._over = seen is None or seen.state.final
        if seen is None:
            self._news.put_nowait(News((), gone=True))
            return
        steps = tuple(step for step in seen.steps if step.id > self.after)
        progress = (seen.progress, seen.note)
        changed = progress != self._shown and seen.state is State.RUNNING
        if steps or changed or seen.state.final:
            self._news.put_nowait(
                News(steps, progress if changed else None, over=seen.state if seen.state.final else None)
            )
        if steps:
            self.after = steps[-1].id
        self._shown = progress

    def end(self) -> None:
        self._news.put_nowait(None)


class JobStreams:
    """All open streams, and the one task that looks for them. For the event loop alone, but for ``close``."""

    def __init__(self, look: Look, most: int = MOST, look_s: float = LOOK_S) -> None:
        self._look = look
        self._most = most
        self._look_s = look_s
        self._streams: set[Stream] = set()
        self._looking: asyncio.Task[None] | None = None
        self._closing = False
        self._reached = True

    @contextmanager
    def open(self, job_id: UUID, after: int) -> Iterator[Stream]:
        """A stream until the block is left. Raises ``TooManyStreams``."""
        if len(self._streams) >= self._most or self._closing:
            raise TooManyStreams
        stream = Stream(job_id, after)
        self._streams.add(stream)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._serve())
        try:
            yield stream
        finally:
            self._streams.discard(stream)

    def close(self) -> None:
        """End all streams soon, and open none; may be called in a signal handler."""
        self._closing = True

    async def _serve(self) -> None:
        while self._streams:
            if waiting := [stream for stream in self._streams if stream.waits]:
                await self._serve_these(waiting)
            await asyncio.sleep(self._look_s)

    async def _serve_these(self, streams: list[Stream]) -> None:
        if self._closing:
            for stream in streams:
                stream.end()
            return
        after: dict[UUID, int] = {}
        for stream in streams:
            after[stream.job_id] = min(stream.after, after.get(stream.job_id, stream.after))
        try:
            seen = await asyncio.to_thread(self._look, after)
        except (DatabaseUnavailable, psycopg.Error) as error:
            if self._reached:
                log.warning("streams of jobs wait for the database", reason=str(error))
            self._reached = False
            return
        self._reached = True
        for stream in streams:
            stream.offer(seen.get(stream.job_id))
