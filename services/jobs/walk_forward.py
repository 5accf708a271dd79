"""Job type ``walk_forward``: again and again the best run of the last bars is traded on the bars that follow."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from services.common.jobtypes import InParts, JobContext, JobType, Parts
from services.jobs.backtest import curve, trades
from services.jobs.backtesting.found import found, strategies
from services.jobs.backtesting.grid import every_run
from services.jobs.backtesting.metrics import metrics
from services.jobs.backtesting.request import by_strategy
from services.jobs.backtesting.strategy import Strategy
from services.jobs.backtesting.window import Window, window
from services.jobs.sweeping import parting
from services.jobs.sweeping.folds import Fold, chosen, folds, walked
from services.jobs.sweeping.progress import Progress
from services.jobs.sweeping.scan import figures

Choices = list[dict[str, Any]]

WalkForwardPayload = by_strategy("WalkForwardPayload", [each.WalkForward for each in found().usable.values()])


@dataclass(frozen=True)
class Asked:
    """The days, the runs of the grid, and the folds in which one of them is chosen and traded."""

    request: Any
    strategy: Strategy
    grid: Sequence[Any]
    days: Window
    folds: Sequence[Fold]

    def choices(self, ctx: JobContext, some: Sequence[Fold]) -> Choices:
        progress = Progress(ctx, 2 * len(some) * len(self.grid))
        return [chosen(self.days, fold, self.strategy, self.grid, self.request, progress.begun) for fold in some]

    def seconds(self, ctx: JobContext) -> float:
        """About how long all folds take, by the last one."""
        last = self.folds[-1].parts(self.days)
        return len(self.folds) * parting.seconds(self.grid, lambda run: self._try(ctx, last, run))

    def _try(self, ctx: JobContext, parts: Sequence[Window], run: Any) -> None:
        for days in parts:
            figures(days, self.strategy, [run], self.request, ctx.check_cancelled)

    def result(self, choices: Choices) -> dict[str, Any]:
        request, strategy = self.request, self.strategy
        runs = [strategy.Parameters.model_validate(each["parameters"]) for each in choices]
        made = list(zip(self.folds, runs, strict=True))
        days, simulation = walked(self.days, made, strategy, request.cash, request.fee_bps)
        reached = metrics(simulation, days.calendar)
        return {
            "symbol": request.symbol,
            "interval": request.interval,
            "strategy": strategy.name,
            "fee_bps": request.fee_bps,
            "cash": request.cash,
            "rank": request.rank,
            "runs": len(self.grid),
            "train_bars": request.train_bars,
            "test_bars": request.test_bars,
            "anchored": request.anchored,
            **days.described(strategy, runs),
            "ruined_on": None if simulation.ruined is None else str(days.bars.day[simulation.ruined]),
            "metrics": reached,
            "efficiency": _efficiency(reached["cagr"], [each["in_sample"]["cagr"] for each in choices]),
            "buy_and_hold": metrics(days.all_along(request.cash, request.fee_bps), days.calendar),
            "folds": choices,
            "equity_curve": curve(days.bars, simulation, request.curve_points),
            "trades": trades(days.bars, simulation),
        }


def asked(ctx: JobContext, payload: Any) -> Asked:
    request = payload.root
    strategy = strategies()[request.strategy]
    grid = every_run(strategy, request)
    days = window(ctx, request)
    return Asked(request, strategy, grid, days, folds(days, request))


def run(ctx: JobContext, payload: Any) -> dict[str, Any]:
    walk = asked(ctx, payload)
    enough = len(walk.folds) > 1 and len(walk.grid) >= parting.LEAST_RUNS
    if enough and (parts := parting.count(walk.seconds(ctx), len(walk.folds))) > 1:
        raise InParts(parts)
    return walk.result(walk.choices(ctx, walk.folds))


def run_part(ctx: JobContext, payload: Any, number: int, parts: int) -> dict[str, Any]:
    walk = asked(ctx, payload)
    some = walk.folds[parting.bounds(len(walk.folds), number, parts)]
    return {"candles": parting.candles(walk.days.history), "choices": walk.choices(ctx, some)}


def join(ctx: JobContext, payload: Any, results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    walk = asked(ctx, payload)
    parting.compare(walk.request.symbol, walk.days.history, [each["candles"] for each in results])
    return walk.result([choice for each in results for choice in each["choices"]])


def _efficiency(reached: float | None, promised: Sequence[float | None]) -> float | None:
    """Growth a year, divided by the mean of that of the chosen runs on the bars that chose them."""
    known = [each for each in promised if each is not None]
    if reached is None or not known or (mean := fmean(known)) <= 0:
        return None
    return reached / mean


JOB = JobType("walk_forward", 1, WalkForwardPayload, run, timeout_s=1800, long=True, parts=Parts(run_part, join))
