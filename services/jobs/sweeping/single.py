"""A sweep over one symbol: the days that rank its runs, those that judge them, and what it found."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from services.common.jobtypes import JobContext
from services.jobs.backtesting.strategy import Strategy
from services.jobs.backtesting.window import Window
from services.jobs.sweeping import parting
from services.jobs.sweeping.heat import heat
from services.jobs.sweeping.progress import Progress
from services.jobs.sweeping.scan import Scanned, figures

if TYPE_CHECKING:
    from services.jobs.market.candles import Bars
    from services.jobs.sweeping.parting import Figures

IN, OUT = "in_sample", "out_of_sample"


@dataclass(frozen=True)
class Single:
    """The runs of ``grid`` over days by their names: those that rank the runs, and those kept back, if any."""

    symbol: str
    request: Any
    strategy: Strategy
    grid: Sequence[Any]
    days: Mapping[str, Window]

    def figures(self, ctx: JobContext, runs: Sequence[Any]) -> "Figures":
        return self.figures_of(runs, Progress(ctx, len(runs) * len(self.days)).begun)

    def figures_of(self, runs: Sequence[Any], begun: Callable[[], None]) -> "Figures":
        return {name: figures(days, self.strategy, runs, self.request, begun) for name, days in self.days.items()}

    @property
    def history(self) -> "Bars":
        """All candles that the runs see."""
        return list(self.days.values())[-1].history

    def seconds(self, ctx: JobContext) -> float:
        """About how long all runs take."""
        return parting.seconds(self.grid, lambda run: self.figures_of([run], ctx.check_cancelled))

    def part(self, of_days: "Figures") -> dict[str, Any]:
        """The figures of some of the runs as JSON."""
        return {"candles": parting.candles(self.history), "figures": parting.plain(of_days)}

    def joined(self, parts: Sequence[Mapping[str, Any]]) -> "Figures":
        """The figures of all runs; ``JobFailure`` where the parts saw different candles."""
        parting.compare(self.symbol, self.history, [each["candles"] for each in parts])
        return parting.joined([each["figures"] for each in parts])

    def scanned(self, of_days: "Figures") -> dict[str, Scanned]:
        return {
            name: Scanned(self.days[name], self.strategy, self.grid, self.request, known)
            for name, known in of_days.items()
        }

    def result(self, of_days: "Figures") -> dict[str, Any]:
        request, strategy, grid = self.request, self.strategy, self.grid
        parts = self.scanned(of_days)
        inside, outside = parts[IN], parts.get(OUT)
        order = inside.best_first()
        return {
            "symbol": self.symbol,
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
            "best": [
                {"parameters": grid[number].model_dump(mode="json"), **judged(parts, number)}
                for number in order[: request.top]
            ],
            "median": {name: part.medians() for name, part in parts.items()},
            "buy_and_hold": {name: part.buy_and_hold() for name, part in parts.items()},
            "heat": heat(strategy, request, grid, inside.figures[request.rank].tolist()),
        }


def judged(parts: Mapping[str, Scanned], number: int) -> dict[str, Any]:
    """All figures of one run, and, where bars were kept back, those on them and its place among all runs."""
    found: dict[str, Any] = {"metrics": parts[IN].metrics(number)}
    if outside := parts.get(OUT):
        found[OUT] = {"place": outside.place(number), "metrics": outside.metrics(number)}
    return found
