"""Job type ``check_strategy``: does a strategy look ahead, toss coins, or signal before its warm-up is over?"""

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field, create_model

from services.common.jobtypes import JobContext, JobType, Payload
from services.jobs.backtesting.causality import CUTS, faults
from services.jobs.backtesting.found import found, strategies
from services.jobs.backtesting.request import LITERAL, Symbol, by_strategy, parameters
from services.jobs.backtesting.strategy import Strategy
from services.jobs.market.intervals import Interval
from services.jobs.market.wording import several

if TYPE_CHECKING:
    from services.jobs.market.candles import Bars

#: Days of made-up prices, where no symbol is named.
DAYS = 1500


class OnBars(Payload):
    """Bars to try it on; the same made-up ones each time where no symbol is named."""

    symbol: Symbol | None = Field(None, description="on whose candles; default: made-up prices")
    interval: Interval = Field("1d", description="how long a bar lasts, as it was loaded")


def _payload(strategy: Strategy) -> type[BaseModel]:
    name = f"Check_{strategy.name}"
    return create_model(name, __base__=(strategy.Parameters, OnBars), strategy=(LITERAL[strategy.name], ...))


CheckPayload = by_strategy("CheckPayload", [_payload(each.strategy) for each in found().usable.values()])


def run(ctx: JobContext, payload: Any) -> dict[str, Any]:
    request = payload.root
    strategy = strategies()[request.strategy]
    chosen = parameters(strategy, request)
    bars = ctx.candles(request.symbol, None, None, request.interval).adjusted() if request.symbol else made_up()
    ctx.progress(0.1, several(len(bars), "bar"))
    wrong = faults(strategy, chosen, bars)
    target = strategy.target(bars, chosen)
    return {
        "strategy": strategy.name,
        "parameters": chosen.model_dump(mode="json"),
        "symbol": request.symbol,
        "bars": len(bars),
        "cuts": CUTS,
        "warmup_bars": strategy.warmup(chosen),
        "exposure": None if any(each.kind == "output" for each in wrong) else round(float((target != 0).mean()), 4),
        "faults": [{"kind": each.kind, "message": each.message} for each in wrong],
    }


def made_up() -> "Bars":
    """A random walk, the same one each time."""
    import numpy as np

    from services.jobs.market.candles import Bars

    chance = np.random.default_rng(7)
    close = 100 * np.exp(np.cumsum(chance.normal(0, 0.02, DAYS)))
    opened = close * np.exp(chance.normal(0, 0.005, DAYS))
    high, low = np.maximum(opened, close) * 1.005, np.minimum(opened, close) / 1.005
    return Bars(np.datetime64("2020-01-01") + np.arange(DAYS), opened, high, low, close)


JOB = JobType("check_strategy", 1, CheckPayload, run, timeout_s=300)
