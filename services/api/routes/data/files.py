"""Candle files: uploaded here, loaded by the job type ``load_candles``, which then removes them."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated

import structlog
from fastapi import APIRouter, Path, Request
from pydantic import BaseModel
from starlette.requests import ClientDisconnect

from services.api.problems import Problem
from services.api.security import Provided, Requester
from services.common.data.candle_files import PART_BYTES

Name = Annotated[str, Path(max_length=255, pattern=r"^[\w][\w. -]*$", description="As load_candles is to name it.")]

router = APIRouter(prefix="/candle-files", tags=["data"])
log = structlog.get_logger(__name__)


class CandleFileOut(BaseModel):
    name: str
    bytes: int
    uploaded_by: str
    uploaded_at: datetime


class CandleFileList(BaseModel):
    candle_files: list[CandleFileOut]


class Uploaded(BaseModel):
    name: str
    bytes: int


@router.get("")
def list_files(dependencies: Provided) -> CandleFileList:
    """Files that were uploaded and that no job has loaded yet."""
    found = dependencies.candle_files.all()
    return CandleFileList(candle_files=[CandleFileOut.model_validate(each, from_attributes=True) for each in found])


@router.put("/{name}", status_code=201)
async def upload(name: Name, request: Request, dependencies: Provided, by: Requester) -> Uploaded:
    """Store the body under this name, in place of a file of the same one. 413 above the limit of uploads."""
    files = dependencies.candle_files
    file_id = await asyncio.to_thread(files.begin, name, by)
    size = number = 0
    try:
        async for part in _parts(request):
            await asyncio.to_thread(files.add, file_id, number, part)
            size, number = size + len(part), number + 1
        await asyncio.to_thread(files.complete, file_id, name, size)
    except BaseException as error:
        await asyncio.shield(asyncio.to_thread(files.drop, file_id))
        if isinstance(error, ClientDisconnect):
            raise Problem(400, "The upload was cut off; nothing of it is kept.") from error
        raise
    log.info("candle file uploaded", name=name, bytes=size, by=by)
    return Uploaded(name=name, bytes=size)


@router.delete("/{name}", status_code=204)
def remove(name: Name, dependencies: Provided, by: Requester) -> None:
    """Remove an uploaded file. 404 where there is none of that name."""
    if not dependencies.candle_files.remove(name):
        raise Problem(404, f"There is no uploaded candle file {name!r}.")
    log.info("candle file removed", name=name, by=by)


async def _parts(request: Request) -> AsyncIterator[bytes]:
    """The body in parts of one size, the last one shorter; none is empty."""
    held = bytearray()
    async for piece in request.stream():
        held += piece
        while len(held) >= PART_BYTES:
            yield bytes(held[:PART_BYTES])
            del held[:PART_BYTES]
    if held:
        yield bytes(held)
