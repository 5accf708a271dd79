"""Job type ``load_candles``: check a file of candles and store what is sound."""

import time
from collections import Counter
from dataclasses import dataclass, field
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
from services.jobs.market.rejects import Rejects

if TYPE_CHECKING:
    import pandas as pd

    from services.jobs.market.quality import Flag

# What a result shows of each kind of flag and rejection, and of the symbols; the counts are always complete.
EXAMPLES = 20
SYMBOLS = 1_000


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


@dataclass
class Loaded:
    """Sums of a load so far; ``spans`` has rows, first and last bar of each symbol."""

    interval: Interval | None = None
    read: int = 0
    written: store.Written = field(default_factory=store.Written)
    rejects: Rejects = field(default_factory=Rejects)
    flagged: Counter[str] = field(default_factory=Counter)
    flags: "list[Flag]" = field(default_factory=list)
    spans: dict[str, tuple[int, Any, Any]] = field(default_factory=dict)

    def add(self, piece: source.Piece, checked: quality.Checked) -> None:
        self.interval = piece.interval
        self.read += len(piece.frame)
        self.rejects.add(checked.bad, piece)
        self.flagged.update(flag.kind for flag in checked.flags)
        self.flags += checked.flags[: EXAMPLES - len(self.flags)]
        grouped = checked.good.groupby("symbol", observed=True)["day"].agg(["size", "min", "max"])
        for symbol, rows, first, last in grouped.itertuples():
            count, since, until = self.spans.get(str(symbol), (0, first, last))
            self.spans[str(symbol)] = (count + rows, min(since, first), max(until, last))


def run(ctx: JobContext, payload: LoadCandles) -> dict[str, Any]:
    began = time.perf_counter()
    loaded = Loaded()
    with candle_files.fetched(ctx.store, payload.file) as uploaded:
        _load(ctx, payload, uploaded or source.locate(payload.file), loaded)
    return _result(payload.file, loaded, time.perf_counter() - began)


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
            ctx.progress(piece.done, f"{loaded.read} rows, {loaded.rejects.counts.total()} of them rejected")
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


def _result(name: str, loaded: Loaded, seconds: float) -> dict[str, Any]:
    rejects, written = loaded.rejects, loaded.written
    return {
        "file": name,
        "interval": loaded.interval,
        "read": loaded.read,
        "inserted": written.inserted,
        "updated": written.updated,
        "unchanged": written.unchanged,
        "rejected": rejects.counts.total(),
        "rejected_by_reason": dict(rejects.by_kind()),
        "rejected_examples": [
            {"line": each.line, "symbol": each.symbol, "day": each.day, "reason": each.reason}
            for each in rejects.rows[:EXAMPLES]
        ],
        "flagged": dict(loaded.flagged),
        "flags": [vars(flag) for flag in loaded.flags],
        "symbols": [
            {"symbol": symbol, "rows": rows, "first": _shown(first), "last": _shown(last)}
            for symbol, (rows, first, last) in sorted(loaded.spans.items())[:SYMBOLS]
        ],
        "seconds": round(seconds, 3),
        "rows_per_second": round(loaded.read / seconds),
    }


def _shown(moment: "pd.Timestamp") -> str:
    """A day, or the time of a bar within the day."""
    return str(moment.date()) if moment == moment.normalize() else moment.isoformat()


JOB = JobType("load_candles", 1, LoadCandles, run, timeout_s=600, long=True)
