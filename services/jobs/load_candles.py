"""Job type ``load_candles``: check a file of candles and store what is sound."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, field_validator

from services.common.data import candle_files
from services.common.jobtypes import JobContext, JobFailure, JobType, Payload
from services.jobs.backtesting.request import Symbol
from services.jobs.market import quality, source, store
from services.jobs.market.intervals import Interval
from services.jobs.market.layout import Asked, Dates, Decimal
from services.jobs.market.loaded import Loaded
from services.jobs.market.wording import several

if TYPE_CHECKING:
    import pandas as pd


class LoadCandles(Payload):
    """Without a file, the sample that ships with the stack is loaded."""

    file: str = Field(
        source.SAMPLE,
        pattern=r"^[\w][\w. -]*$",
        max_length=255,
        description="CSV file: uploaded, or in the candle folder",
    )
    symbols: tuple[Symbol, ...] = Field((), description="load only these; default: every symbol in the file")
    symbol: Symbol | None = Field(None, description="what a file without such a column is of")
    interval: Interval | None = Field(None, description="how long a bar lasts; default: what the file shows")
    columns: tuple[str, ...] = Field((), max_length=50, description="names of its columns in their order: date,open,…")
    dates: Dates | None = Field(None, description="day or month first, where the file does not show it")
    decimal: Decimal | None = Field(None, description="sign before decimals, where the file does not show it")

    dry_run: bool = Field(False, description="read and check, and store nothing")

    @field_validator("columns", mode="before")
    @classmethod
    def _spread(cls, value: Any) -> Any:
        return value.split(",") if isinstance(value, str) else value


def run(ctx: JobContext, payload: LoadCandles) -> dict[str, Any]:
    began = time.perf_counter()
    loaded = Loaded()
    with candle_files.fetched(ctx.store, payload.file) as uploaded:
        _load(ctx, payload, uploaded or source.locate(payload.file), loaded)
    return {"file": payload.file, **loaded.result(time.perf_counter() - began)}


def _load(ctx: JobContext, payload: LoadCandles, path: Path, loaded: Loaded) -> None:
    asked = Asked(payload.columns, payload.decimal, payload.dates)
    pieces = source.pieces(path, symbol=payload.symbol, interval=payload.interval, only=payload.symbols, asked=asked)
    with ctx.store.transaction():
        upsert, ids = store.Upsert(ctx.store), dict[str, int]()
        for piece in pieces:
            ctx.check_cancelled()
            checked = quality.check(piece.frame, datetime.now(UTC), piece.interval)
            loaded.add(piece, checked)
            if payload.dry_run:
                continue
            ids |= _series(ctx, checked.good, piece.interval, ids)
            loaded.written += upsert.add(checked.good, ids)
            ctx.progress(piece.done, f"{several(loaded.read, 'row')}, {loaded.rejects.counts.total()} of them rejected")
        if loaded.interval is None:
            wanted = f" of {', '.join(payload.symbols)}" if payload.symbols else ""
            raise JobFailure(f"{payload.file} holds no rows{wanted}.")
        if payload.dry_run:
            return
        rejected = store.series_ids(ctx.store, sorted(loaded.rejects.symbols()), loaded.interval)
        loaded.rejects.store(ctx.store, path.name, rejected)
        candle_files.loaded(ctx.store, path.name)


def _series(ctx: JobContext, good: "pd.DataFrame", interval: Interval, known: dict[str, int]) -> dict[str, int]:
    """The numbers of the symbols that are not ``known`` yet."""
    new = {str(symbol) for symbol in good["symbol"].unique()} - known.keys()
    return store.series_ids(ctx.store, sorted(new), interval) if new else {}


JOB = JobType("load_candles", 1, LoadCandles, run, timeout_s=600, long=True)
