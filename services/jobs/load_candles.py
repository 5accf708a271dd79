"""Job type ``load_candles``: check a file of daily candles and store what is sound."""

import time
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import Field

from services.common.jobtypes import JobContext, JobFailure, JobType, Payload
from services.jobs.backtesting.request import Symbol
from services.jobs.market import quality, source, store

if TYPE_CHECKING:
    import pandas as pd

# What a result shows of each kind of flag and rejection; the counts are always complete.
EXAMPLES = 20
UNREADABLE_SYMBOL = "(unreadable)"


class LoadCandles(Payload):
    """Without a file, the sample that ships with the stack is loaded."""

    file: str = Field(
        source.SAMPLE, pattern=r"^[\w][\w. -]*$", max_length=255, description="CSV file in the candle folder"
    )
    symbols: tuple[Symbol, ...] = Field((), description="load only these; default: every symbol in the file")


def run(ctx: JobContext, payload: LoadCandles) -> dict[str, Any]:
    began = time.perf_counter()
    path = source.locate(payload.file)
    frame = _chosen(source.read(path), payload)
    ctx.progress(0.3, f"read {len(frame)} rows")
    checked = quality.check(frame, datetime.now(UTC))
    ctx.progress(0.5, f"checked: {len(checked.good)} sound, {len(checked.bad)} rejected")
    ctx.check_cancelled()
    written = store_checked(ctx, checked)
    seconds = time.perf_counter() - began
    return {
        "file": path.name,
        "read": len(frame),
        "inserted": written.inserted,
        "updated": written.updated,
        "unchanged": written.unchanged,
        "rejected": len(checked.bad),
        "rejected_by_reason": dict(Counter(checked.bad["reason"])),
        "rejected_examples": _examples(checked.bad),
        "flagged": dict(Counter(flag.kind for flag in checked.flags)),
        "flags": [vars(flag) for flag in checked.flags[:EXAMPLES]],
        "symbols": _summary(checked.good),
        "seconds": round(seconds, 3),
        "rows_per_second": round(len(frame) / seconds),
    }


def store_checked(ctx: JobContext, checked: quality.Checked) -> store.Written:
    """Good rows into ``candle``, bad ones into ``candle_rejected``, in one transaction."""
    bad = checked.bad.assign(symbol=checked.bad["symbol"].astype("str").replace({"": UNREADABLE_SYMBOL}))
    symbols = {str(symbol) for symbol in checked.good["symbol"].unique()} | set(bad["symbol"])
    with ctx.store.transaction():
        ids = store.series_ids(ctx.store, sorted(symbols))
        written = store.upsert(ctx.store, checked.good, ids)
        store.reject(ctx.store, bad, ids)
    return written


def _chosen(frame: "pd.DataFrame", payload: LoadCandles) -> "pd.DataFrame":
    if payload.symbols:
        frame = frame[frame["symbol"].isin(payload.symbols)].reset_index(drop=True)
    if frame.empty:
        wanted = f" of {', '.join(payload.symbols)}" if payload.symbols else ""
        raise JobFailure(f"{payload.file} holds no rows{wanted}.")
    return frame


def _examples(bad: "pd.DataFrame") -> list[dict[str, Any]]:
    shown = bad[["line", "symbol", "day", "reason"]].head(EXAMPLES).astype({"day": "str", "symbol": "str"})
    return shown.to_dict("records")  # type: ignore[no-any-return]


def _summary(good: "pd.DataFrame") -> list[dict[str, Any]]:
    grouped = good.groupby("symbol", observed=True)["day"].agg(["size", "min", "max"])
    return [
        {"symbol": str(symbol), "rows": int(rows), "first": str(first)[:10], "last": str(last)[:10]}
        for symbol, rows, first, last in grouped.head(1000).itertuples()
    ]


JOB = JobType("load_candles", 1, LoadCandles, run, timeout_s=600, long=True)
