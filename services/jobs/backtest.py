"""Job type ``backtest``: one strategy on one symbol's daily candles."""

from typing import TYPE_CHECKING, Any

from services.common.jobtypes import JobContext, JobType
from services.jobs.backtesting.digits import significant
from services.jobs.backtesting.found import found, strategies
from services.jobs.backtesting.metrics import metrics
from services.jobs.backtesting.request import by_strategy, parameters
from services.jobs.backtesting.simulate import Simulation
from services.jobs.backtesting.window import window
from services.jobs.market.wording import several

if TYPE_CHECKING:
    from services.jobs.market.candles import Bars

SIDES = {1: "long", -1: "short"}

BacktestPayload = by_strategy("BacktestPayload", [each.Run for each in found().usable.values()])


def run(ctx: JobContext, payload: Any) -> dict[str, Any]:
    request = payload.root
    strategy = strategies()[request.strategy]
    chosen = parameters(strategy, request)
    days = window(ctx, request)
    ctx.progress(0.3, f"{several(len(days.bars), 'bar')} of {request.symbol}")
    simulation = days.run(strategy, chosen, request.cash, request.fee_bps)
    return {
        "symbol": request.symbol,
        "interval": request.interval,
        "strategy": strategy.name,
        "parameters": chosen.model_dump(mode="json"),
        "fee_bps": request.fee_bps,
        "cash": request.cash,
        **days.described(strategy, [chosen]),
        "ruined_on": None if simulation.ruined is None else str(days.bars.day[simulation.ruined]),
        "metrics": metrics(simulation, days.calendar),
        "equity_curve": curve(days.bars, simulation, request.curve_points),
        "trades": trades(days.bars, simulation),
    }


def curve(bars: "Bars", simulation: Simulation, points: int) -> dict[str, list[Any]]:
    """Day and equity of at most ``points`` bars, evenly apart, the last one always among them."""
    import numpy as np

    count = min(points, len(bars))
    chosen = np.unique(np.linspace(len(bars) - 1, 0, count).round().astype(int)) if count else np.array([], int)
    return {
        "day": bars.day[chosen].astype(str).tolist(),
        "equity": significant(simulation.equity[chosen]),
    }


def trades(bars: "Bars", simulation: Simulation) -> dict[str, Any]:
    """Columns of one entry per round trip; prices are adjusted, gains are fractions of equity after fees."""
    made = simulation.trades
    return {
        "entry_day": bars.day[made.entry].astype(str).tolist(),
        "entry_price": significant(made.entry_price),
        "exit_day": bars.day[made.exit].astype(str).tolist(),
        "exit_price": significant(made.exit_price),
        "side": [SIDES[side] for side in made.side.tolist()],
        "gain": made.gain.round(8).tolist(),
        "last_is_open": made.last_is_open,
    }


JOB = JobType("backtest", 1, BacktestPayload, run, timeout_s=300, quarantined=found().quarantined)
