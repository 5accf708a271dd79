"""Job type ``download_candles``: bars of an exchange from where the stored ones end."""

import time
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pydantic import Field, ValidationInfo, field_validator

from services.common.jobtypes import JobContext, JobType, Payload
from services.jobs.backtesting.request import Symbol
from services.jobs.exchange.clock import Clock
from services.jobs.market.intervals import Interval

CLOCK = Clock()
MIDNIGHT = datetime.min.time().replace(tzinfo=UTC)


class DownloadCandles(Payload):
    """Downloaded again, it goes on with the newest bar that is stored."""

    exchange: str = Field(pattern=r"^[a-z0-9]{1,30}$", description="as ccxt names it: binance, kraken, coinbase")
    symbol: Symbol = Field(description="as the exchange trades it: BTC/USDT, of a future BTC/USDT:USDT")
    interval: Interval = Field("1d", description="how long a bar lasts")
    since: date | None = Field(None, description="first day; default: what follows on the stored bars, else 1000 bars")
    series: Symbol = Field("", validate_default=True, description="name to store them under; default: BINANCE:BTC/USDT")

    @field_validator("since")
    @classmethod
    def _not_to_come(cls, since: date | None) -> date | None:
        # Somewhere on earth it is a day later.
        if since and since > datetime.now(UTC).date() + timedelta(days=1):
            raise ValueError("must not be a day to come")
        return since

    @field_validator("series", mode="before")
    @classmethod
    def _named(cls, series: Any, info: ValidationInfo) -> Any:
        # Two exchanges have two prices: under one name, a backtest would jump from one to the other.
        known = {"exchange", "symbol"} <= info.data.keys()
        return series or (f"{info.data['exchange'].upper()}:{info.data['symbol']}" if known else None)


def run(ctx: JobContext, payload: DownloadCandles) -> dict[str, Any]:
    from services.jobs.exchange.client import Exchange
    from services.jobs.exchange.download import Download, Wanted, breaker_of

    began = time.perf_counter()

    def throttle(cost: float) -> None:
        # Asked for anew each time: the exchange's limit is known once its client is made.
        budget = ctx.budget(breaker_of(payload.exchange), exchange.points_per_minute, 60.0)
        if wait_s := budget.take(cost):
            CLOCK.sleep(wait_s)

    exchange = Exchange(payload.exchange, throttle, CLOCK)
    since = int(datetime.combine(payload.since, MIDNIGHT).timestamp()) if payload.since else None
    download = Download(ctx, exchange, Wanted(payload.symbol, payload.series, payload.interval, since), CLOCK)
    download.run()
    about = {"exchange": payload.exchange, "symbol": payload.symbol, "series": payload.series, "pages": download.pages}
    return {**about, **download.loaded.result(time.perf_counter() - began)}


JOB = JobType("download_candles", 1, DownloadCandles, run, timeout_s=3600, long=True)
