"""The job: on prices of a symbol, or on made-up ones, and what it says of a strategy."""

from typing import Any

import numpy as np
import pytest

from services.common.jobtypes import Payload, PayloadInvalid
from services.jobs import check_strategy
from services.jobs.backtesting import found
from services.jobs.backtesting.causality import CUTS
from services.jobs.backtesting.strategy import Strategy
from tests.services.jobs.fakes import FileContext


class Asked(FileContext):
    """Writes down which candles it is asked for, and gives those of every day."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[Any, ...]] = []

    def candles(self, *words: Any) -> Any:
        self.asked.append(words)
        return super().candles(words[0])


def checked(**payload: Any) -> dict[str, Any]:
    context: Any = FileContext()
    return check_strategy.run(context, check_strategy.JOB.validate(payload))


def test_on_made_up_prices() -> None:
    result = checked(strategy="sma_cross", fast=5, slow=20)
    assert result["parameters"] == {"fast": 5, "slow": 20}
    assert (result["faults"], result["bars"], result["warmup_bars"], result["symbol"]) == ([], 1500, 19, None)
    assert 0 < result["exposure"] < 1
    assert (result["strategy"], result["cuts"]) == ("sma_cross", CUTS)


def test_made_up_prices_are_sound_and_the_same_ones_each_time() -> None:
    bars = check_strategy.made_up()
    assert bars.day[[0, -1]].astype(str).tolist() == ["2020-01-01", "2024-02-08"]
    assert bars.close[[0, -1]] == pytest.approx([100.00246034, 18.76436375])
    assert bars.open[[0, -1]] == pytest.approx([99.39515986, 18.60674336])
    assert bars.high == pytest.approx(np.maximum(bars.open, bars.close) * 1.005)
    assert bars.low == pytest.approx(np.minimum(bars.open, bars.close) / 1.005)


def test_a_payload_is_named_for_its_strategy_and_its_bars_are_days_unless_asked_otherwise() -> None:
    assert set(check_strategy.JOB.schema()["$defs"]) == {f"Check_{name}" for name in found.strategies()}
    context: Any = Asked()
    for more in ({}, {"interval": "1h"}):
        check_strategy.run(context, check_strategy.JOB.validate({"strategy": "breakout", "symbol": "aapl", **more}))
    assert context.asked == [("AAPL", None, None, interval) for interval in ("1d", "1h")]
    assert context.told == [(0.1, "3270 bars")] * 2


def test_on_prices_of_a_symbol() -> None:
    result = checked(strategy="breakout", symbol="aapl")
    assert (result["faults"], result["bars"], result["symbol"]) == ([], 3270, "AAPL")


def test_a_fault_is_a_result_and_not_a_failed_job(monkeypatch: pytest.MonkeyPatch) -> None:
    class Nothing(Payload):
        pass

    def prices(bars: Any, _: Any) -> Any:
        return bars.close

    bad = Strategy("sma_cross", Nothing, prices, lambda _: 0)
    monkeypatch.setattr(check_strategy, "strategies", lambda: {**found.strategies(), "sma_cross": bad})
    context: Any = FileContext()
    payload = check_strategy.JOB.validate({"strategy": "sma_cross"})
    result = check_strategy.run(context, payload)
    assert [fault["kind"] for fault in result["faults"]] == ["output"]
    assert result["exposure"] is None


def test_a_strategy_that_does_not_exist_is_refused() -> None:
    with pytest.raises(PayloadInvalid):
        check_strategy.JOB.validate({"strategy": "none"})
