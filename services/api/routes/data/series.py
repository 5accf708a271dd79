"""Series of candles: which are stored, and the removal of one."""

from datetime import datetime
from typing import Annotated

import structlog
from fastapi import APIRouter, Path
from pydantic import BaseModel

from services.api.problems import Problem
from services.api.schemas import STORABLE
from services.api.security import Provided, Requester
from services.common.data.series import SeriesBusy

Symbol = Annotated[str, Path(min_length=1, max_length=100, pattern=STORABLE, description="BTC/USDT:USDT")]
Interval = Annotated[str, Path(pattern=r"^\d{1,2}[mhd]$", description="1d")]

router = APIRouter(prefix="/series", tags=["data"])
log = structlog.get_logger(__name__)


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


@router.delete("/{interval}/{symbol:path}")
def remove(interval: Interval, symbol: Symbol, dependencies: Provided, by: Requester) -> Removed:
    """Remove a series with its candles and rejected rows. 404 where there is none; 409 while a job loads it."""
    name = symbol.strip().upper()
    try:
        candles = dependencies.series.remove(name, interval)
    except SeriesBusy:
        raise Problem(409, f"A job loads candles of {name} right now; try again when it is over.") from None
    if candles is None:
        raise Problem(404, f"There is no series of {name} at {interval}.")
    log.info("series removed", symbol=name, interval=interval, candles=candles, by=by)
    return Removed(candles=candles)
