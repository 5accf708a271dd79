"""Job type ``sweep``: a grid of backtests on one symbol, the best first, and what being the best is worth."""

import time
from typing import Any

from services.common.jobtypes import JobContext, JobFailure, JobType
from services.jobs.backtesting.found import found, strategies
from services.jobs.backtesting.grid import combinations
from services.jobs.backtesting.request import by_strategy
from services.jobs.backtesting.window import window
from services.jobs.sweeping.heat import heat
from services.jobs.sweeping.scan import Scanned, scan

PROGRESS_EVERY_S = 0.25

SweepPayload = by_strategy("SweepPayload", [each.Sweep for each in found().usable.values()])


def run(ctx: JobContext, payload: Any) -> dict[str, Any]:
    request = payload.root
    strategy = strategies()[request.strategy]
    grid = list(combinations(strategy, request))
    if not grid:
        raise JobFailure(f"No combination of these values is a valid {strategy.name}.")
    known, kept_back = window(ctx, request).split(request.holdout)
    progress = _Progress(ctx, len(grid) * (2 if kept_back else 1))
    inside = scan(known, strategy, grid, request, progress.begun)
    outside = scan(kept_back, strategy, grid, request, progress.begun) if kept_back else None
    parts = {"in_sample": inside} | ({"out_of_sample": outside} if outside else {})
    order = inside.best_first()
    return {
        "symbol": request.symbol,
        "interval": request.interval,
        "strategy": strategy.name,
        "fee_bps": request.fee_bps,
        "cash": request.cash,
        **known.described(strategy, grid),
        "holdout_from": str(outside.days.bars.day[0]) if outside else None,
        "holdout_bars": len(outside.days.bars) if outside else 0,
        "rank": request.rank,
        "runs": len(grid),
        **inside.luck(order[0]),
        "best": [_listed(inside, outside, number) for number in order[: request.top]],
        "median": {name: part.medians() for name, part in parts.items()},
        "buy_and_hold": {name: part.buy_and_hold() for name, part in parts.items()},
        "heat": heat(strategy, request, grid, inside.figures[request.rank].tolist()),
    }


def _listed(inside: Scanned, outside: Scanned | None, number: int) -> dict[str, Any]:
    listed = {"parameters": inside.runs[number].model_dump(mode="json"), "metrics": inside.metrics(number)}
    if outside:
        listed["out_of_sample"] = {"place": outside.place(number), "metrics": outside.metrics(number)}
    return listed


class _Progress:
    """Reports how many of the runs have begun, no more often than people read, and lets a cancelled sweep end."""

    def __init__(self, ctx: JobContext, runs: int) -> None:
        self._ctx, self._runs = ctx, runs
        self._begun, self._reported = 0, 0.0

    def begun(self) -> None:
        self._ctx.check_cancelled()
        if (now := time.monotonic()) - self._reported >= PROGRESS_EVERY_S:
            self._reported = now
            self._ctx.progress(self._begun / self._runs, f"{self._begun} of {self._runs} runs")
        self._begun += 1


JOB = JobType("sweep", 2, SweepPayload, run, timeout_s=1800, long=True, accepts=(1,))
