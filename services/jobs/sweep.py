"""Job type ``sweep``: a grid of backtests on one symbol, the best first, and what being the best is worth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from services.common.jobtypes import InParts, JobContext, JobType, Parts
from services.jobs.backtesting.found import found, strategies
from services.jobs.backtesting.grid import every_run
from services.jobs.backtesting.request import by_strategy
from services.jobs.backtesting.strategy import Strategy
from services.jobs.backtesting.window import Window, window
from services.jobs.sweeping import parting
from services.jobs.sweeping.heat import heat
from services.jobs.sweeping.progress import Progress
from services.jobs.sweeping.scan import Scanned, figures

if TYPE_CHECKING:
    from services.jobs.market.candles import Bars
    from services.jobs.sweeping.parting import Figures

SweepPayload = by_strategy("SweepPayload", [each.Sweep for each in found().usable.values()])


@dataclass(frozen=True)
class Asked:
    """A sweep and the days that it looks at, by their names: those that rank the runs, and those kept back, if any."""

    request: Any
    strategy: Strategy
    grid: Sequence[Any]
    days: Mapping[str, Window]

    def figures(self, ctx: JobContext, runs: Sequence[Any]) -> "Figures":
        progress = Progress(ctx, len(runs) * len(self.days))
        return {
            name: figures(days, self.strategy, runs, self.request, progress.begun) for name, days in self.days.items()
        }

    @property
    def history(self) -> "Bars":
        """All candles that the runs see."""
        return list(self.days.values())[-1].history

    def seconds(self, ctx: JobContext) -> float:
        """About how long all runs take."""
        return parting.seconds(self.grid, lambda run: self._try(ctx, run))

    def _try(self, ctx: JobContext, run: Any) -> None:
        for days in self.days.values():
            figures(days, self.strategy, [run], self.request, ctx.check_cancelled)

    def result(self, of_days: "Figures") -> dict[str, Any]:
        request, strategy, grid = self.request, self.strategy, self.grid
        parts = {name: Scanned(self.days[name], strategy, grid, request, known) for name, known in of_days.items()}
        inside, outside = parts["in_sample"], parts.get("out_of_sample")
        order = inside.best_first()
        return {
            "symbol": request.symbol,
            "interval": request.interval,
            "strategy": strategy.name,
            "fee_bps": request.fee_bps,
            "cash": request.cash,
            **inside.days.described(strategy, grid),
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


def asked(ctx: JobContext, payload: Any) -> Asked:
    request = payload.root
    strategy = strategies()[request.strategy]
    grid = every_run(strategy, request)
    known, kept_back = window(ctx, request).split(request.holdout)
    days = {"in_sample": known} | ({"out_of_sample": kept_back} if kept_back else {})
    return Asked(request, strategy, grid, days)


def run(ctx: JobContext, payload: Any) -> dict[str, Any]:
    sweep = asked(ctx, payload)
    if len(sweep.grid) >= parting.LEAST_RUNS and (parts := parting.count(sweep.seconds(ctx), len(sweep.grid))) > 1:
        raise InParts(parts)
    return sweep.result(sweep.figures(ctx, sweep.grid))


def run_part(ctx: JobContext, payload: Any, number: int, parts: int) -> dict[str, Any]:
    sweep = asked(ctx, payload)
    runs = sweep.grid[parting.bounds(len(sweep.grid), number, parts)]
    return {"candles": parting.candles(sweep.history), "figures": parting.plain(sweep.figures(ctx, runs))}


def join(ctx: JobContext, payload: Any, results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    sweep = asked(ctx, payload)
    parting.compare(sweep.request.symbol, sweep.history, [each["candles"] for each in results])
    return sweep.result(parting.joined([each["figures"] for each in results]))


def _listed(inside: Scanned, outside: Scanned | None, number: int) -> dict[str, Any]:
    listed = {"parameters": inside.runs[number].model_dump(mode="json"), "metrics": inside.metrics(number)}
    if outside:
        listed["out_of_sample"] = {"place": outside.place(number), "metrics": outside.metrics(number)}
    return listed


JOB = JobType("sweep", 2, SweepPayload, run, timeout_s=1800, long=True, accepts=(1,), parts=Parts(run_part, join))
