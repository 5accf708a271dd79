"""States and progress of one job as server-sent events, by FastAPI, which also sends the comments in between."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel

from services.api.job_streams import Stream, TooManyStreams
from services.api.problems import RETRY_AFTER_S, Problem
from services.api.routes.jobs import JobId, known
from services.api.schemas import EventOut
from services.api.security import Provided

router = APIRouter(prefix="/jobs", tags=["jobs"])

Last = Annotated[
    int, Header(alias="Last-Event-ID", ge=0, le=2**63 - 1, description="Go on after this event; browsers send it.")
]


class ProgressOut(BaseModel):
    progress: float
    note: str


class EndOut(BaseModel):
    state: str


async def _stream(job_id: JobId, dependencies: Provided, last_event_id: Last = 0) -> AsyncIterator[Stream]:
    """Before the first byte, so that what cannot be followed gets an answer of its own."""
    await asyncio.to_thread(known, dependencies, job_id)
    try:
        with dependencies.job_streams.open(job_id, last_event_id) as stream:
            yield stream
    except TooManyStreams:
        detail = "Too many streams are open. Try again, or ask for the job itself now and then."
        raise Problem(503, detail, headers={"Retry-After": str(RETRY_AFTER_S)}) from None


@router.get("/{job_id}/events", response_class=EventSourceResponse)
async def follow(stream: Annotated[Stream, Depends(_stream)]) -> AsyncIterator[ServerSentEvent]:
    """Everything that happened to a job, then what happens: `state`, `progress`, and `end` with its last state.

    A comment comes every 15 s where nothing happens. 503 with Retry-After when too many streams are open.
    """
    async for news in stream.news():
        for step in news.steps:
            shown = EventOut(at=step.at, state=step.state, by=step.by, note=step.note)
            yield ServerSentEvent(event="state", id=str(step.id), data=shown)
        if news.progress is not None:
            fraction, note = news.progress
            yield ServerSentEvent(event="progress", data=ProgressOut(progress=fraction, note=note))
        if news.over or news.gone:
            yield ServerSentEvent(event="end", data=EndOut(state=news.over.value if news.over else "removed"))
