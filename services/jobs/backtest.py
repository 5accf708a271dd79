"""Job type ``backtest``: one strategy on one symbol's daily candles."""

from typing import TYPE_CHECKING, Any

from services.common.jobtypes import JobContext, JobType
from services.jobs.backtesting.metrics import metrics
from services.jobs.backtesting.request import BacktestPayload, parameters
from services.jobs.backtesting.simulate import Simulation, simulate
from services.jobs.backtesting.strategy import strategies

if TYPE_CHECKING:
    from services.jobs.market.candles import Bars


def run(ctx: JobContext, payload: Any) -> dict[str, Any]:
    request = payload.root
    bars = ctx.candles(request.symbol, request.start, request.end).adjusted()
    strategy = strategies()[request.strategy]
    chosen = parameters(strategy, request)
    ctx.progress(0.3, f"{len(bars)} bars of {request.symbol}")
    simulation = simulate(bars, strategy.target(bars, chosen), request.cash, request.fee_bps)
    return {
        "symbol": request.symbol,
        "strategy": strategy.name,
        "parameters": chosen.model_dump(mode="json"),
        "fee_bps": request.fee_bps,
        "cash": request.cash,
        "start": str(bars.day[0]),
        "end": str(bars.day[-1]),
        "bars": len(bars),
        "metrics": metrics(simulation),
        "equity_curve": curve(bars, simulation, request.curve_points),
        "trades": trades(bars, simulation),
    }


def curve(bars: "Bars", simulation: Simulation, points: int) -> dict[str, list[Any]]:
    """Day and equity of at most ``points`` bars, evenly apart, the last one always among them."""
    import numpy as np

    count = min(points, len(bars))
    chosen = np.unique(np.linspace(len(bars) - 1, 0, count).round().astype(int)) if count else np.array([], int)
    return {
        "day": bars.day[chosen].astype(str).tolist(),
        "equity": simulation.equity[chosen].round(4).tolist(),
    }


def trades(bars: "Bars", simulation: Simulation) -> dict[str, Any]:
    """Columns of one entry per round trip; prices are adjusted, gains are fractions after fees."""
    made = simulation.trades
    entry, exits = made.entry, made.exit
    prices = bars.open[exits].copy()
    if made.last_is_open:
        prices[-1] = bars.close[-1]
    return {
        "entry_day": bars.day[entry].astype(str).tolist(),
        "entry_price": bars.open[entry].round(6).tolist(),
        "exit_day": bars.day[exits].astype(str).tolist(),
        "exit_price": prices.round(6).tolist(),
        "gain": made.gain.round(8).tolist(),
        "last_is_open": made.last_is_open,
    }


JOB = JobType("backtest", 1, BacktestPayload, run, timeout_s=300)
