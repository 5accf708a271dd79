"""The job: on prices of a symbol, or on made-up ones, and what it says of a strategy."""

from typing import Any

import pytest

from services.common.jobtypes import Payload, PayloadInvalid
from services.jobs import check_strategy
from services.jobs.backtesting import found
from services.jobs.backtesting.strategy import Strategy
from tests.services.jobs.fakes import FileContext


def checked(**payload: Any) -> dict[str, Any]:
    context: Any = FileContext()
    return check_strategy.run(context, check_strategy.JOB.validate(payload))


def test_on_made_up_prices() -> None:
    result = checked(strategy="sma_cross", fast=5, slow=20)
    assert result["parameters"] == {"fast": 5, "slow": 20}
    assert (result["faults"], result["bars"], result["warmup_bars"], result["symbol"]) == ([], 1500, 19, None)
    assert 0 < result["exposure"] < 1


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
