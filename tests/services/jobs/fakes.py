"""A job context for tests that need no database: candles come from the data file."""

from datetime import date
from typing import Any

import numpy as np
import structlog

from services.common.jobtypes import JobCancelled, JobFailure
from services.jobs.market import source
from services.jobs.market.candles import Candles
from services.jobs.market.intervals import Interval


class FileContext:
    """Implements ``JobContext`` on the sample file; ``cancel_after`` progress reports it is cancelled."""

    job_id = "test"
    log = structlog.get_logger()

    def __init__(self, cancel_after: int | None = None) -> None:
        self.told: list[tuple[float, str]] = []
        self._cancel_after = cancel_after

    @property
    def store(self) -> Any:
        raise AssertionError("this job type should not need the database")

    def effect(self, key: str) -> Any:
        raise AssertionError("this job type should not need the database")

    def progress(self, fraction: float, note: str = "") -> None:
        self.told.append((fraction, note))

    def check_cancelled(self) -> None:
        if self._cancel_after is not None and len(self.told) >= self._cancel_after:
            raise JobCancelled

    def breaker(self, name: str, failures: Any = (), policy: Any = None) -> Any:
        raise AssertionError("this job type should call nobody")

    def budget(self, name: str, points: float, per_s: float) -> Any:
        raise AssertionError("this job type should call nobody")

    def candles(
        self, symbol: str, start: date | None = None, end: date | None = None, interval: Interval = "1d"
    ) -> Candles:
        assert interval == "1d"
        frame = source.read(source.locate(source.SAMPLE))
        frame = frame[frame["symbol"] == symbol]
        day = frame["day"].to_numpy().astype("datetime64[D]")
        chosen = (day >= np.datetime64(start or "1900-01-01")) & (day <= np.datetime64(end or "2100-01-01"))
        frame, day = frame[chosen], day[chosen]
        if frame.empty:
            raise JobFailure(f"There are no candles for {symbol}.")
        columns = ("open", "high", "low", "close", "volume", "adj_close")
        return Candles(symbol, day, *(frame[name].to_numpy() for name in columns))
