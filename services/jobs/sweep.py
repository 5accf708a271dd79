"""Job type ``sweep``: a grid of backtests on one symbol, the best first."""

import time
from typing import Any

from services.common.jobtypes import JobContext, JobFailure, JobType
from services.jobs.backtesting.found import found, strategies
from services.jobs.backtesting.grid import combinations
from services.jobs.backtesting.metrics import metrics
from services.jobs.backtesting.request import by_strategy
from services.jobs.backtesting.window import window

PROGRESS_EVERY_S = 0.25

SweepPayload = by_strategy("SweepPayload", [each.Sweep for each in found().usable.values()])


def run(ctx: JobContext, payload: Any) -> dict[str, Any]:
    request = payload.root
    strategy = strategies()[request.strategy]
    grid = list(combinations(strategy, request))
    if not grid:
        raise JobFailure(f"No combination of these values is a valid {strategy.name}.")
    days = window(ctx, request)
    runs, reported = [], 0.0
    for number, chosen in enumerate(grid):
        ctx.check_cancelled()
        if time.monotonic() - reported >= PROGRESS_EVERY_S:
            reported = time.monotonic()
            ctx.progress(number / len(grid), f"{number} of {len(grid)} runs")
        simulation = days.run(strategy, chosen, request.cash, request.fee_bps)
        runs.append({"parameters": chosen.model_dump(mode="json"), "metrics": metrics(simulation, days.calendar)})
    runs.sort(key=lambda made: _rank(made["metrics"][request.rank]), reverse=True)
    return {
        "symbol": request.symbol,
        "interval": request.interval,
        "strategy": strategy.name,
        "fee_bps": request.fee_bps,
        "cash": request.cash,
        **days.described(strategy, grid),
        "rank": request.rank,
        "runs": len(runs),
        "best": runs[: request.top],
    }


def _rank(value: float | None) -> float:
    """A run without the figure, such as one that never traded, comes last."""
    return float("-inf") if value is None else value


JOB = JobType("sweep", 1, SweepPayload, run, timeout_s=1800, long=True)
