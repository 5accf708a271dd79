"""What a canary proves, and what it says where that fails; and the one that fails on purpose. The store stands in."""

import time
from typing import Any

import numpy as np
import pytest

from services.common.jobtypes import FAILS_ON_PURPOSE, JobFailure
from services.jobs import canary, failing_canary
from services.jobs.canary import BARS, JOB, prices
from services.jobs.market import store
from services.jobs.market.candles import Candles
from services.jobs.market.store import Written

SYMBOL = "CANARY-7"


class Context:
    """A job whose candles go to this store and come back from it, ``lost`` of them not."""

    job_id = "7"
    store = object()

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.written = Written(BARS, 0, 0)
        self.lost = 0
        self.factor = 1.0
        self.fails: Exception | None = None
        self.calls: list[Any] = []
        monkeypatch.setattr(store, "series_ids", self._ids)
        monkeypatch.setattr(store, "upsert", self._upsert)
        monkeypatch.setattr(store, "forget", self._forget)

    def _ids(self, given: object, symbols: list[str]) -> dict[str, int]:
        assert given is self.store
        return dict.fromkeys(symbols, 5)

    def _upsert(self, given: object, frame: Any, ids: dict[str, int]) -> Written:
        assert given is self.store
        self.frame = frame
        self.calls.append(("upsert", ids))
        return self.written

    def _forget(self, given: object, series: int) -> None:
        assert given is self.store
        self.calls.append(("forget", series))

    def candles(self, symbol: str) -> Candles:
        if self.fails:
            raise self.fails
        assert symbol == SYMBOL
        rows = self.frame.iloc[self.lost :]
        names = ("open", "high", "low", "close", "volume", "adj_close")
        day = rows["day"].to_numpy().astype("datetime64[D]")
        return Candles(symbol, day, *(rows[name].to_numpy() * self.factor for name in names))

    def run(self) -> dict[str, Any]:
        return JOB.run(self, JOB.validate({"nonce": "n"}))  # type: ignore[arg-type]


@pytest.fixture
def ctx(monkeypatch: pytest.MonkeyPatch) -> Context:
    return Context(monkeypatch)


def test_a_canary_writes_reads_and_trades_and_leaves_nothing_behind(ctx: Context) -> None:
    result = ctx.run()
    took = {name: result.pop(name) for name in ("write_ms", "read_ms", "backtest_ms")}
    assert result == {"nonce": "n", "bars": BARS, "trades": 4, "final_equity": 1576.0775, "total_return": 0.576077}
    assert all(0 <= each < 60_000 for each in took.values())
    assert ctx.calls == [("upsert", {SYMBOL: 5}), ("forget", 5)]


def test_each_step_has_its_own_time_in_thousandths(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    times = [10.0, 11.0, 11.25, 11.375]
    monkeypatch.setattr(time, "perf_counter", lambda: times.pop(0))
    result = ctx.run()
    assert [result[name] for name in ("write_ms", "read_ms", "backtest_ms")] == [1000.0, 250.0, 125.0]


def test_what_a_canary_before_it_has_left_counts_as_written(ctx: Context) -> None:
    ctx.written = Written(100, 0, BARS - 100)
    assert ctx.run()["bars"] == BARS


@pytest.mark.parametrize(
    ("written", "lost", "said"),
    [
        (Written(119, 0, 0), 0, "Wrote 120 candles, but 119 were stored and 120 read back."),
        (Written(119, 1, 0), 0, "Wrote 120 candles, but 119 were stored and 120 read back."),
        (Written(120, 0, 0), 1, "Wrote 120 candles, but 120 were stored and 119 read back."),
    ],
)
def test_candles_that_are_lost_are_counted(ctx: Context, written: Written, lost: int, said: str) -> None:
    ctx.written, ctx.lost = written, lost
    with pytest.raises(JobFailure, match=f"^{said}$"):
        ctx.run()


def test_another_equity_is_wrong(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canary, "FINAL_EQUITY", canary.FINAL_EQUITY * (1 + 1e-8))
    with pytest.raises(JobFailure, match=r"^The backtest ended at 1576\.077\d* where 1576\.077\d* is right\.$"):
        ctx.run()


def test_its_candles_go_also_where_it_fails(ctx: Context) -> None:
    ctx.fails = JobFailure("There are none.")
    with pytest.raises(JobFailure, match="There are none"):
        ctx.run()
    assert ctx.calls[-1] == ("forget", 5)


def test_its_prices_are_sound_ones_day_by_day() -> None:
    frame = prices("X")
    assert frame["symbol"].astype(str).unique().tolist() == ["X"]
    assert (str(frame["day"].iat[0])[:10], str(frame["day"].iat[-1])[:10], len(frame)) == (
        "2000-01-03",
        "2000-05-01",
        BARS,
    )
    assert np.array_equal(frame["adj_close"], frame["close"])
    assert np.array_equal(frame["open"].to_numpy()[1:], frame["close"].to_numpy()[:-1])
    assert (frame["open"].iat[0], frame["close"].iat[0], frame["volume"].unique().tolist()) == (100.0, 100.0, [1.0])
    assert np.array_equal(frame["high"], np.maximum(frame["open"], frame["close"]))
    assert np.array_equal(frame["low"], np.minimum(frame["open"], frame["close"]))
    assert frame["close"].iat[6] == 100 + 10 * np.sin(1)


# The one that fails on purpose


class Attempt:
    """A job in this attempt; None: the ledger knows none."""

    job_id = "7"

    def __init__(self, number: int | None) -> None:
        self.number, self.store = number, self

    def execute(self, query: str, params: list[str]) -> "Attempt":
        assert (query, params) == ("SELECT attempt FROM job WHERE id = %s", ["7"])
        return self

    def fetchone(self) -> tuple[int] | None:
        return None if self.number is None else (self.number,)


@pytest.mark.parametrize(
    ("failures", "attempt", "fails"),
    [(2, 1, True), (2, 2, True), (2, 3, False), (0, 1, False), (0, None, False), (1, None, True)],
)
def test_the_first_attempts_fail_as_it_was_asked_to(failures: int, attempt: int | None, fails: bool) -> None:
    job = failing_canary.JOB
    payload, ctx = job.validate({"nonce": "n", "failures": failures}), Attempt(attempt)
    if not fails:
        assert job.run(ctx, payload) == {"nonce": "n", "attempt": attempt or 1}  # type: ignore[arg-type]
        return
    with pytest.raises(failing_canary.FailedOnPurpose, match=rf"^Attempt {attempt or 1} failed as it was asked to\.$"):
        job.run(ctx, payload)  # type: ignore[arg-type]
    assert job.name == FAILS_ON_PURPOSE
