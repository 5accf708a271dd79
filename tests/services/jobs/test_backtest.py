"""The backtest against an independent computation from the CSV file, with fees."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from services.common.jobtypes import JobFailure, PayloadInvalid
from services.jobs.backtest import JOB, trades
from services.jobs.backtesting.found import strategies
from services.jobs.backtesting.simulate import Simulation, Trades
from services.jobs.load_candles import JOB as LOAD
from services.jobs.market.candles import Bars
from tests.paths import ROOT
from tests.services.jobs import independent
from tests.services.jobs.fakes import FileContext

CASES = [
    ("AAPL", "sma_cross", {"fast": 10, "slow": 30}, independent.want_sma_cross),
    ("IBM", "sma_cross", {"fast": 3, "slow": 200}, independent.want_sma_cross),
    ("FB", "sma_cross", {"fast": 1, "slow": 2}, independent.want_sma_cross),
    ("AAPL", "breakout", {"lookback": 20, "exit_lookback": 10}, independent.want_breakout),
    ("GOOG", "breakout", {"lookback": 5, "exit_lookback": 55}, independent.want_breakout),
    ("MSFT", "mean_reversion", {"window": 20, "z": 1.5, "exit_z": 0.0}, independent.want_mean_reversion),
    ("AAPL", "mean_reversion", {"window": 5, "z": 1.0, "exit_z": 0.5}, independent.want_mean_reversion),
]


def backtest(**payload: Any) -> dict[str, Any]:
    return JOB.run(FileContext(), JOB.validate(payload))


@pytest.mark.parametrize("fee_bps", [0.0, 7.5])
@pytest.mark.parametrize(("symbol", "strategy", "parameters", "want"), CASES)
def test_metrics_agree_with_an_independent_computation(
    symbol: str, strategy: str, parameters: dict[str, Any], want: Callable[..., Any], fee_bps: float
) -> None:
    rows = independent.rows_of(symbol)
    expected = independent.trade(rows, want(rows, **parameters), 10_000.0, fee_bps)
    result = backtest(symbol=symbol, strategy=strategy, fee_bps=fee_bps, **parameters)
    metrics = result["metrics"]
    assert metrics["total_return"] == pytest.approx(expected.total_return, abs=1e-6, rel=1e-6)
    assert metrics["sharpe"] == pytest.approx(expected.sharpe, abs=1e-4)
    assert metrics["sortino"] == pytest.approx(expected.sortino, abs=1e-4)
    assert metrics["cagr"] == pytest.approx(expected.cagr, abs=1e-6)
    assert metrics["max_drawdown"] == pytest.approx(expected.max_drawdown, abs=1e-6)
    assert metrics["trades"] == expected.trades == len(result["trades"]["gain"])


def test_every_figure_of_a_result_is_defined() -> None:
    result = backtest(symbol="AAPL", strategy="breakout", start="2001-01-02")
    shown = {*result["metrics"], "periods_per_year", "warmup_bars", "bars_before_start", "signals_from"}
    page = (ROOT / "docs" / "figures.md").read_text(encoding="utf-8")
    assert sorted(name for name in shown if f"| `{name}` |" not in page) == []
    assert shown - {*result["metrics"]} <= result.keys()


def test_a_stake_of_a_twentieth_of_a_bitcoin_keeps_its_digits() -> None:
    large = backtest(symbol="IBM", strategy="breakout", cash=50_000_000)["equity_curve"]["equity"]
    small = backtest(symbol="IBM", strategy="breakout", cash=0.00005)["equity_curve"]["equity"]
    assert [value * 1e-12 for value in large] == pytest.approx(small, rel=1e-9)


def test_trades_compound_to_the_total_return() -> None:
    result = backtest(symbol="IBM", strategy="breakout", fee_bps=5)
    growth = 1.0
    for gain in result["trades"]["gain"]:
        growth *= 1 + gain
    assert growth - 1 == pytest.approx(result["metrics"]["total_return"], rel=1e-5)


def test_the_side_of_each_trade_is_said_in_words() -> None:
    entry = np.array([1, 2])
    made = Trades(entry, entry + 1, entry * 1.0, entry * 1.0, entry * 0.0, np.array([1, -1]), last_is_open=False)
    day = np.datetime64("2020-01-01") + np.arange(4)
    bars = Bars(day, *(np.ones(4),) * 4)
    found = trades(bars, Simulation(np.ones(4), np.ones(4, bool), made, None))
    assert (found["side"], found["entry_day"]) == (["long", "short"], ["2020-01-02", "2020-01-03"])


def test_a_price_that_does_not_move_is_no_bargain() -> None:
    """Its distance from the mean is nothing divided by nothing, which is no warning for anybody either."""
    strategy = strategies()["mean_reversion"]
    bars = Bars(np.datetime64("2020-01-01") + np.arange(30), *(np.full(30, 100.0),) * 4)
    assert not strategy.target(bars, strategy.Parameters(window=5)).any()


@pytest.mark.parametrize(
    ("field", "most", "more"), [("cash", 1e15, 1.1e15), ("fee_bps", 1000, 1001), ("curve_points", 100_000, 100_001)]
)
def test_the_most_of_a_number_is_taken_and_more_is_not(field: str, most: float, more: float) -> None:
    request = {"symbol": "A", "strategy": "breakout"}
    assert getattr(JOB.validate({**request, field: most}).root, field) == most  # type: ignore[attr-defined]
    with pytest.raises(PayloadInvalid, match=field):
        JOB.validate({**request, field: more})


def test_curve_is_thinned_and_keeps_its_end() -> None:
    full = backtest(symbol="FB", strategy="breakout", curve_points=100_000)["equity_curve"]
    thin = backtest(symbol="FB", strategy="breakout", curve_points=10)["equity_curve"]
    assert len(full["equity"]) == 196
    assert len(thin["equity"]) == 10
    assert thin["day"][-1] == full["day"][-1] == "2013-03-01"
    assert thin["equity"][0] == full["equity"][0] == 10_000.0
    assert set(zip(thin["day"], thin["equity"], strict=True)) <= set(zip(full["day"], full["equity"], strict=True))
    assert backtest(symbol="FB", strategy="breakout", curve_points=0)["equity_curve"] == {
        "day": [],
        "equity": [],
    }


def test_days_are_chosen_with_both_ends_included() -> None:
    result = backtest(symbol="IBM", strategy="sma_cross", start="2005-01-03", end="2006-12-29")
    assert (result["start"], result["end"]) == ("2005-01-03", "2006-12-29")


@pytest.mark.parametrize("day", ["2000-03-01", "2000-03-02"])
def test_a_handful_of_bars_gives_numbers_or_nothing(day: str) -> None:
    result = backtest(symbol="IBM", strategy="sma_cross", end=day)
    assert result["metrics"]["total_return"] == 0.0
    assert result["metrics"]["sharpe"] is None
    assert result["metrics"]["win_rate"] is None


def test_symbol_without_candles_is_a_clear_failure() -> None:
    with pytest.raises(JobFailure, match="no candles for ZZZ"):
        backtest(symbol="ZZZ", strategy="breakout")


@pytest.mark.parametrize(
    ("payload", "field", "says"),
    [
        ({"symbol": "AAPL", "strategy": "sma_cross", "fast": 30, "slow": 10}, "slow", "greater than fast"),
        ({"symbol": "AAPL", "strategy": "sma_cross", "fast": 30, "slow": 30}, "slow", "greater than fast"),
        ({"symbol": "AAPL", "strategy": "sma_cross", "fast": 40}, "slow", "greater than fast"),
        ({"symbol": "AAPL", "strategy": "sma_cross", "fsat": 4}, "fsat", "not a parameter"),
        ({"symbol": "AAPL", "strategy": "breakout", "fast": 4}, "fast", "not a parameter"),
        ({"symbol": "AAPL", "strategy": "sma_crosss"}, "strategy", "'sma_crosss' is unknown; one of"),
        ({"symbol": "AAPL"}, "strategy", "required"),
        ({"strategy": "breakout"}, "symbol", "required"),
        ({"symbol": "A\nB", "strategy": "breakout"}, "symbol", "pattern"),
        ({"symbol": "A\0B", "strategy": "breakout"}, "symbol", "pattern"),
        ({"symbol": " ", "strategy": "breakout"}, "symbol", "at least 1"),
        ({"symbol": "A" * 101, "strategy": "breakout"}, "symbol", "at most 100"),
        ({"symbol": "A", "strategy": "breakout", "fee_bps": -1}, "fee_bps", "greater than or equal to 0"),
        ({"symbol": "A", "strategy": "breakout", "cash": "inf"}, "cash", "finite|less than"),
        (
            {"symbol": "A", "strategy": "breakout", "start": "2010-02-01", "end": "2010-01-01"},
            "end",
            "before start",
        ),
        ({"symbol": "A", "strategy": "mean_reversion", "z": 1, "exit_z": -1}, "exit_z", "greater than -z"),
    ],
)
def test_bad_payload_names_the_field(payload: dict[str, Any], field: str, says: str) -> None:
    with pytest.raises(PayloadInvalid, match=says) as caught:
        JOB.validate(payload)
    assert [name for name, _ in caught.value.errors] == [field]


@pytest.mark.parametrize(
    ("given", "symbol"),
    [
        (7203, "7203"),
        ("^gspc", "^GSPC"),
        ("EURUSD=X", "EURUSD=X"),
        ("BTC/USDT:USDT", "BTC/USDT:USDT"),
        ("Ö&Co", "Ö&CO"),
    ],
)
def test_every_symbol_that_can_be_loaded_can_be_asked_for(given: object, symbol: str) -> None:
    assert JOB.normalise({"symbol": given, "strategy": "breakout"})["symbol"] == symbol
    assert LOAD.normalise({"symbols": [given]})["symbols"] == [symbol]


def test_values_typed_on_a_command_line_are_understood() -> None:
    normal = JOB.normalise({"symbol": " aapl ", "strategy": "sma_cross", "fast": "10", "slow": "30", "fee_bps": "5"})
    assert (normal["symbol"], normal["fast"], normal["slow"], normal["fee_bps"]) == ("AAPL", 10, 30, 5.0)
    assert JOB.normalise(normal) == normal
