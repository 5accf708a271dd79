"""Job type ``sweep``: a grid of backtests on one symbol or several, the best first, and what it is worth to be that."""

from collections.abc import Sequence
from typing import Any, Protocol

from services.common.jobtypes import InParts, JobContext, JobType, Parts
from services.jobs.backtesting.found import found, strategies
from services.jobs.backtesting.grid import every_run
from services.jobs.backtesting.request import by_strategy
from services.jobs.backtesting.window import window
from services.jobs.sweeping import parting
from services.jobs.sweeping.several import Several, common, split
from services.jobs.sweeping.single import IN, OUT, Single

SweepPayload = by_strategy("SweepPayload", [each.Sweep for each in found().usable.values()])


class Sweep(Protocol):
    """Of one symbol or of several; each understands its own ``figures`` alone."""

    @property
    def grid(self) -> Sequence[Any]: ...

    def figures(self, ctx: JobContext, runs: Sequence[Any]) -> Any: ...

    def seconds(self, ctx: JobContext) -> float: ...

    def part(self, figures: Any, /) -> dict[str, Any]: ...

    def joined(self, parts: Sequence[dict[str, Any]]) -> Any: ...

    def result(self, figures: Any, /) -> dict[str, Any]: ...


def asked(ctx: JobContext, payload: Any) -> Sweep:
    request = payload.root
    strategy = strategies()[request.strategy]
    grid = every_run(strategy, request)
    windows = {symbol: window(ctx, request.model_copy(update={"symbol": symbol})) for symbol in request.symbol}
    if len(windows) > 1:
        shared = common(windows)
        days = zip(shared, split(shared, request.holdout), strict=True)
        return Several([Single(symbol, request, strategy, grid, each) for symbol, each in days])
    ((symbol, only),) = windows.items()
    known, kept_back = only.split(request.holdout)
    return Single(symbol, request, strategy, grid, {IN: known} | ({OUT: kept_back} if kept_back else {}))


def run(ctx: JobContext, payload: Any) -> dict[str, Any]:
    sweep = asked(ctx, payload)
    runs = len(sweep.grid)
    enough = runs * len(payload.root.symbol) >= parting.LEAST_RUNS
    if enough and (parts := parting.count(sweep.seconds(ctx), runs)) > 1:
        raise InParts(parts)
    return sweep.result(sweep.figures(ctx, sweep.grid))


def run_part(ctx: JobContext, payload: Any, number: int, parts: int) -> dict[str, Any]:
    sweep = asked(ctx, payload)
    runs = sweep.grid[parting.bounds(len(sweep.grid), number, parts)]
    return sweep.part(sweep.figures(ctx, runs))


def join(ctx: JobContext, payload: Any, results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    sweep = asked(ctx, payload)
    return sweep.result(sweep.joined(results))


JOB = JobType("sweep", 2, SweepPayload, run, timeout_s=1800, long=True, accepts=(1,), parts=Parts(run_part, join))
