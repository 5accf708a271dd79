"""Job type ``canary``: proof that a job travels API → Redis → worker → Postgres and computes something.

It needs no candles: it writes made-up prices under a name of its own, reads them back, trades on them,
compares the outcome with the known one, and takes the prices away again. ``nonce`` comes back in the result,
so that whoever asked knows that this very job was done.
"""

import math
import time
from typing import TYPE_CHECKING, Any

from pydantic import Field

from services.common.jobtypes import JobContext, JobFailure, JobType, Payload
from services.jobs.backtesting.found import strategies
from services.jobs.backtesting.simulate import simulate
from services.jobs.market import store

if TYPE_CHECKING:
    import pandas as pd

BARS = 120
SYMBOL = "CANARY"
CASH = 1_000.0
FEE_BPS = 10.0
FINAL_EQUITY = 1576.0774883212148


class Canary(Payload):
    nonce: str = Field("", max_length=100, description="comes back in the result")


def run(ctx: JobContext, payload: Canary) -> dict[str, Any]:
    began = time.perf_counter()
    symbol = f"{SYMBOL}-{ctx.job_id}"
    ids = store.series_ids(ctx.store, [symbol])
    try:
        written = store.upsert(ctx.store, prices(symbol), ids)
        stored = time.perf_counter()
        bars = ctx.candles(symbol).adjusted()
        fetched = time.perf_counter()
    finally:
        store.forget(ctx.store, ids[symbol])
    # A canary that died half way has left its candles to its successor, hence "stored" counts both.
    kept = written.inserted + written.unchanged
    if kept != BARS or len(bars) != BARS:
        raise JobFailure(f"Wrote {BARS} candles, but {kept} were stored and {len(bars)} read back.")
    strategy = strategies()["sma_cross"]
    target = strategy.target(bars, strategy.Parameters(fast=3, slow=9))
    simulation = simulate(bars, target, CASH, FEE_BPS)
    equity = float(simulation.equity[-1])
    if not math.isclose(equity, FINAL_EQUITY, rel_tol=1e-9):
        raise JobFailure(f"The backtest ended at {equity} where {FINAL_EQUITY} is right.")
    done = time.perf_counter()
    steps = {"write_ms": stored - began, "read_ms": fetched - stored, "backtest_ms": done - fetched}
    return {
        "nonce": payload.nonce,
        "bars": BARS,
        "trades": len(simulation.trades),
        "final_equity": round(equity, 4),
        "total_return": round(equity / CASH - 1, 6),
        **{name: round(1000 * seconds, 2) for name, seconds in steps.items()},
    }


def prices(symbol: str) -> "pd.DataFrame":
    """A wave of daily prices, so that averages cross several times; shaped like checked candles."""
    import numpy as np
    import pandas as pd

    close = 100 + 10 * np.sin(np.arange(BARS) / 6)
    opened = np.concatenate(([100.0], close[:-1]))
    return pd.DataFrame(
        {
            "symbol": pd.Categorical([symbol] * BARS),
            "day": np.datetime64("2000-01-03", "s") + np.arange(BARS) * np.timedelta64(86_400, "s"),
            "open": opened,
            "high": np.maximum(opened, close),
            "low": np.minimum(opened, close),
            "close": close,
            "volume": 1.0,
            "adj_close": close,
        }
    )


JOB = JobType("canary", 1, Canary, run, timeout_s=60)
