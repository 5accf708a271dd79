"""A sweep over several symbols: the same runs over the same days of each, the best by their median over the symbols.

What a run did on the one symbol may be luck; that it did well on most of them is less likely to be. The holdout begins
with the same day for all: markets move together, so that the later days of one would give those of another away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from services.common.jobtypes import JobContext, JobFailure
from services.jobs.backtesting.metrics import Metrics
from services.jobs.backtesting.window import LEAST_BARS, Window
from services.jobs.sweeping import parting
from services.jobs.sweeping.heat import heat
from services.jobs.sweeping.progress import Progress
from services.jobs.sweeping.ranking import middle, over
from services.jobs.sweeping.scan import Scanned
from services.jobs.sweeping.single import IN, OUT, Single, judged

if TYPE_CHECKING:
    import numpy as np

    from services.jobs.sweeping.parting import Figures

Windows = Mapping[str, Window]


@dataclass(frozen=True)
class Several:
    """One sweep for each symbol, all of the same grid."""

    ones: Sequence[Single]

    @property
    def grid(self) -> Sequence[Any]:
        return self.ones[0].grid

    def figures(self, ctx: JobContext, runs: Sequence[Any]) -> "list[Figures]":
        progress = Progress(ctx, len(runs) * sum(len(each.days) for each in self.ones))
        found = []
        for each in self.ones:
            found.append(each.figures_of(runs, progress.begun))
            for days in each.days.values():
                days.history.forget()
        return found

    def seconds(self, ctx: JobContext) -> float:
        def work(run: Any) -> None:
            for each in self.ones:
                each.figures_of([run], ctx.check_cancelled)

        return parting.seconds(self.grid, work)

    def part(self, of_symbols: "Sequence[Figures]") -> dict[str, Any]:
        return {"symbols": [each.part(known) for each, known in zip(self.ones, of_symbols, strict=True)]}

    def joined(self, parts: Sequence[Mapping[str, Any]]) -> "list[Figures]":
        """As ``Single`` has it. Candles of the one symbol decide which days of the others are looked at."""
        found = []
        for at, each in enumerate(self.ones):
            of_one = [part["symbols"][at] for part in parts]
            parting.compare(f"one of {len(self.ones)} symbols", each.history, [part["candles"] for part in of_one])
            found.append(parting.joined([part["figures"] for part in of_one]))
        return found

    def result(self, of_symbols: "Sequence[Figures]") -> dict[str, Any]:
        request, strategy, grid = self.ones[0].request, self.ones[0].strategy, self.grid
        scanned = [each.scanned(known) for each, known in zip(self.ones, of_symbols, strict=True)]
        together = {name: over([each[name] for each in scanned]) for name in scanned[0]}
        order = together[IN].best_first()
        inside = [each[IN].days.bars.day for each in scanned]
        outside = [each[OUT].days.bars.day for each in scanned if OUT in each]
        symbols = [self._symbol(at, each, order[0]) for at, each in enumerate(scanned)]
        best = []
        for number in order[: request.top]:
            found = [judged(each, number) for each in scanned]
            run = {"parameters": grid[number].model_dump(mode="json"), "metrics": _middle(found)}
            if outside:
                later = _middle([each[OUT] for each in found])
                run[OUT] = {"place": together[OUT].place(number), "metrics": later}
            named = zip(self.ones, found, strict=True)
            best.append(run | {"symbols": [{"symbol": one.symbol, **each} for one, each in named]})
        return {
            "symbol": ", ".join(each.symbol for each in self.ones),
            "interval": request.interval,
            "strategy": strategy.name,
            "fee_bps": request.fee_bps,
            "cash": request.cash,
            "start": str(min(days[0] for days in inside)),
            "end": str(max(days[-1] for days in inside)),
            "holdout_from": str(min(days[0] for days in outside)) if outside else None,
            "holdout_until": str(max(days[-1] for days in outside)) if outside else None,
            "rank": request.rank,
            "runs": len(grid),
            "symbols": symbols,
            "best": best,
            "median": {name: ranking.medians() for name, ranking in together.items()},
            "buy_and_hold": {name: middle(each["buy_and_hold"][name] for each in symbols) for name in together},
            "heat": heat(strategy, request, grid, together[IN].figures[request.rank].tolist()),
        }

    def _symbol(self, at: int, parts: Mapping[str, Scanned], best: int) -> dict[str, Any]:
        """The days of one symbol, and what the best run over all is worth on it."""
        inside, outside = parts[IN], parts.get(OUT)
        return {
            "symbol": self.ones[at].symbol,
            **inside.days.described(inside.strategy, inside.runs),
            "holdout_bars": len(outside.days.bars) if outside else 0,
            **inside.luck(best),
            "median": {name: part.medians() for name, part in parts.items()},
            "buy_and_hold": {name: part.buy_and_hold() for name, part in parts.items()},
        }


def _middle(found: Sequence[Mapping[str, Any]]) -> Metrics:
    return middle(each["metrics"] for each in found)


def common(windows: Windows) -> dict[str, Window]:
    """Of each symbol the days from the first to the last on which all have candles; ``JobFailure`` without any."""
    latest = max(windows, key=lambda symbol: windows[symbol].bars.day[0])
    earliest = min(windows, key=lambda symbol: windows[symbol].bars.day[-1])
    since, until = _day(windows[latest], 0), _day(windows[earliest], -1)
    hint = "Sweep them one by one, or choose other symbols."
    if since > until:
        raise JobFailure(
            f"{earliest} has candles until {until}, and {latest} from {since} on: the symbols have no days in common.",
            hint=hint,
        )
    found = {}
    for symbol, window in windows.items():
        first, end = window.number(since), window.number(until + 1)
        if end - first < LEAST_BARS:
            raise JobFailure(
                f"{symbol} has too few candles ({end - first}) in the days that all share, {since} to {until}.",
                hint=hint,
            )
        found[symbol] = window.part(first, end)
    return found


def split(windows: Windows, share: float) -> list[dict[str, Window]]:
    """Each as a sweep of one symbol has it, by its name; the holdout begins with one day for all.

    It is that of the symbol with the most bars. Where one has too few before or after it, nothing is kept back.
    """
    longest = max(windows.values(), key=lambda window: len(window.bars))
    _, kept_back = longest.split(share)
    whole = [{IN: window} for window in windows.values()]
    if kept_back is None:
        return whole
    day = _day(kept_back, 0)
    cuts = [(window, window.number(day)) for window in windows.values()]
    if any(at < LEAST_BARS or len(window.bars) - at < LEAST_BARS for window, at in cuts):
        return whole
    return [{IN: window.part(0, at), OUT: window.part(at, len(window.bars))} for window, at in cuts]


def _day(window: Window, at: int) -> "np.datetime64":
    day: np.datetime64 = window.bars.day[at].astype("datetime64[D]")
    return day
