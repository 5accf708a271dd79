"""Series of candles: which are stored, the bars of one as CSV, and the removal of one."""

from datetime import datetime
from typing import Annotated

import structlog
from fastapi import APIRouter, Path
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from services.api.problems import Problem
from services.api.schemas import STORABLE
from services.api.security import Provided, Requester
from services.common.data.series import SeriesBusy

Symbol = Annotated[str, Path(min_length=1, max_length=100, pattern=STORABLE, description="BTC/USDT:USDT")]
Interval = Annotated[str, Path(pattern=r"^\d{1,2}[mhd]$", description="1d")]


router = APIRouter(prefix="/series", tags=["data"])
log = structlog.get_logger(__name__)


class Csv(StreamingResponse):
    media_type = "text/csv"


class SeriesOut(BaseModel):
    symbol: str
    interval: str
    first: datetime | None
    last: datetime | None
    rejected: int


class SeriesList(BaseModel):
    series: list[SeriesOut]


class Removed(BaseModel):
    candles: int


@router.get("")
def list_series(dependencies: Provided) -> SeriesList:
    """Each symbol and interval with its first and last candle, by symbol; a thousand at most."""
    return SeriesList(
        series=[SeriesOut.model_validate(each, from_attributes=True) for each in dependencies.series.all()]
    )


@router.get("/{interval}/{symbol:path}", response_class=Csv)
def export(interval: Interval, symbol: Symbol, dependencies: Provided) -> Csv:
    """The bars of a series in order of time, as CSV that `load_candles` reads again. 404 where there is none.

    An answer that is cut off has not all of them.
    """
    found = dependencies.candle_csv.find(symbol.strip().upper(), interval)
    if found is None:
        raise _no_series(symbol, interval)
    return Csv(dependencies.candle_csv.pieces(found))


@router.delete("/{interval}/{symbol:path}")
def remove(interval: Interval, symbol: Symbol, dependencies: Provided, by: Requester) -> Removed:
    """Remove a series with its candles and rejected rows. 404 where there is none; 409 while a job loads it."""
    name = symbol.strip().upper()
    try:
        candles = dependencies.series.remove(name, interval)
    except SeriesBusy:
        raise Problem(409, f"A job loads candles of {name} right now; try again when it is over.") from None
    if candles is None:
        raise _no_series(symbol, interval)
    log.info("series removed", symbol=name, interval=interval, candles=candles, by=by)
    return Removed(candles=candles)


def _no_series(symbol: str, interval: str) -> Problem:
    return Problem(404, f"There is no series of {symbol.strip().upper()} at {interval}.")
