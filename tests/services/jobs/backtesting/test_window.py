"""Bars before ``start`` feed the indicators, and only bars from ``start`` on are traded."""

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest

from services.common.jobtypes import JobFailure, Payload
from services.jobs import backtest, sweep
from services.jobs.backtesting.found import strategies
from services.jobs.backtesting.request import by_strategy, single_run
from services.jobs.backtesting.strategy import Strategy
from tests.services.jobs import independent
from tests.services.jobs.fakes import FileContext

SMA = {"symbol": "AAPL", "strategy": "sma_cross", "fast": 50, "slow": 200}


def run(**payload: Any) -> dict[str, Any]:
    return backtest.JOB.run(FileContext(), backtest.JOB.validate(payload))


def test_the_year_2012_of_apple_starts_with_the_position_of_2011() -> None:
    result = run(**SMA, start="2012-01-01", end="2012-12-31", curve_points=100_000)
    # Blind until the autumn, with averages that begin in January, it lost 16.4 %.
    assert result["metrics"]["total_return"] == pytest.approx(0.3244382, abs=1e-7)
    assert (result["start"], result["end"], result["bars"]) == ("2012-01-03", "2012-12-31", 250)
    assert (result["warmup_bars"], result["bars_before_start"]) == (199, 2979)
    assert result["signals_from"] == "2012-01-03"
    assert "note" not in result
    assert result["equity_curve"]["equity"][0] == 10_000.0
    trades = result["trades"]
    assert (trades["entry_day"][0], trades["exit_day"]) == ("2012-01-03", ["2012-12-11"])
    close = next(row["close"] for row in independent.rows_of("AAPL") if row["day"] == date(2012, 1, 3).toordinal())
    assert trades["entry_price"][0] == pytest.approx(close, rel=1e-9)


@pytest.mark.parametrize("fee_bps", [0.0, 12.0])
@pytest.mark.parametrize(
    ("symbol", "strategy", "parameters", "want"),
    [
        ("AAPL", "sma_cross", {"fast": 50, "slow": 200}, independent.want_sma_cross),
        ("IBM", "breakout", {"lookback": 20, "exit_lookback": 10}, independent.want_breakout),
        ("MSFT", "mean_reversion", {"window": 20, "z": 1.5, "exit_z": 0.0}, independent.want_mean_reversion),
    ],
)
def test_a_window_agrees_with_an_independent_computation(
    symbol: str, strategy: str, parameters: dict[str, Any], want: Callable[..., Any], fee_bps: float
) -> None:
    rows = independent.rows_of(symbol)
    wants = want(rows, **parameters)
    for start in (date(2004, 5, 3), date(2008, 9, 15), date(2011, 1, 3)):
        first = next(at for at, row in enumerate(rows) if row["day"] >= start.toordinal())
        expected = independent.trade(rows, wants, 10_000.0, fee_bps, first)
        metrics = run(symbol=symbol, strategy=strategy, fee_bps=fee_bps, start=str(start), **parameters)["metrics"]
        assert metrics["total_return"] == pytest.approx(expected.total_return, rel=1e-6)
        assert metrics["sharpe"] == pytest.approx(expected.sharpe, abs=1e-6)
        assert metrics["cagr"] == pytest.approx(expected.cagr, abs=1e-8)
        assert metrics["max_drawdown"] == pytest.approx(expected.max_drawdown, abs=1e-8)
        assert metrics["trades"] == expected.trades


@pytest.mark.parametrize("strategy", sorted(strategies()))
def test_equity_moves_as_in_a_run_over_all_days(strategy: str) -> None:
    whole = run(symbol="GOOG", strategy=strategy, curve_points=100_000)["equity_curve"]
    for start in ("2006-03-01", "2008-10-06"):
        part = run(symbol="GOOG", strategy=strategy, start=start, curve_points=100_000)["equity_curve"]
        equity = np.array(whole["equity"][whole["day"].index(part["day"][0]) :])
        np.testing.assert_allclose(part["equity"], 10_000 * equity / equity[0], rtol=1e-8)


def test_too_few_bars_are_said_with_the_day_from_which_signals_were_possible() -> None:
    result = run(**SMA, start="2000-03-08", end="2001-12-31")
    assert result["bars_before_start"] == 5
    days = run(**SMA, end="2001-12-31", curve_points=100_000)["equity_curve"]["day"]
    assert result["signals_from"] == days[199]
    assert result["note"] == (
        f"The indicators need 199 bars before 2000-03-08, and there are 5: signals were possible from {days[199]} on."
    )
    never = run(**SMA, start="2000-03-08", end="2000-05-31")
    assert never["signals_from"] is None
    assert never["note"].endswith("no signal was possible.")


@pytest.mark.parametrize(("strategy", "parameters"), [
    ("sma_cross", {"fast": 2, "slow": 7}),
    ("breakout", {"lookback": 6, "exit_lookback": 9}),
    ("mean_reversion", {"window": 6, "z": 0.01, "exit_z": 9}),
])  # fmt: skip
def test_the_declared_warmup_is_the_number_of_bars_without_a_signal(strategy: str, parameters: dict[str, Any]) -> None:
    chosen = strategies()[strategy]
    values, bars = chosen.Parameters(**parameters), FileContext().candles("IBM").adjusted()
    needed = chosen.warmup(values)
    firsts = []
    for offset in range(0, 300, 7):
        target = chosen.target(bars.since(offset), values)
        assert not target[:needed].any()
        firsts.append(int(np.flatnonzero(target)[0]))
    assert min(firsts) == needed


def test_a_sweep_says_it_of_the_longest_window() -> None:
    payload = sweep.JOB.validate(
        {"symbol": "FB", "strategy": "sma_cross", "fast": 5, "slow": "10,20", "start": "2012-06-01"}
    )
    result = sweep.JOB.run(FileContext(), payload)
    assert (result["warmup_bars"], result["bars_before_start"]) == (19, 9)
    assert result["signals_from"] > result["start"]
    days = {"start": "2012-06-01", "end": result["end"]}
    alone = run(symbol="FB", strategy="sma_cross", **days, **result["best"][0]["parameters"])
    assert alone["metrics"] == result["best"][0]["metrics"]


def test_a_start_after_the_last_candle_is_a_clear_failure() -> None:
    with pytest.raises(JobFailure, match=r"no candles for AAPL from 2020-01-01 to now; .* until 2013-03-01"):
        run(**SMA, start="2020-01-01")


def test_one_bar_alone_takes_nothing_over() -> None:
    result = run(**SMA, start="2012-01-03", end="2012-01-03", fee_bps=50)
    assert result["metrics"]["total_return"] == 0.0
    assert result["metrics"]["final_equity"] == 10_000.0
    assert result["metrics"]["cagr"] is None


def long_or_short(bars: Any, _parameters: Any) -> Any:
    """Up or down: half of the equity on the side that the last bar was on."""
    return 0.5 * np.sign(bars.close - bars.open)


def of_strategy(target: Any, **payload: Any) -> dict[str, Any]:
    class Nothing(Payload):
        pass

    strategy = Strategy("mine", Nothing, target, lambda _: 0)
    request = by_strategy("Run", [single_run(strategy)]).model_validate({"strategy": "mine", **payload})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backtest, "strategies", lambda: {"mine": strategy})
        return backtest.run(FileContext(), request)


def test_shorts_and_fractions_go_from_the_strategy_to_the_result() -> None:
    result = of_strategy(long_or_short, symbol="FB", fee_bps=10, start="2012-06-01", curve_points=1000)
    rows = independent.rows_of("FB")
    targets = [0.5 * float(np.sign(row["close"] - row["open"])) for row in rows]
    first = len(rows) - result["bars"]
    account = independent.Account(
        [row["open"] for row in rows[first:]], [row["close"] for row in rows[first:]], 0.001, 10_000.0
    )
    expected = account.run(targets[first:], taken_over=targets[first - 1])
    assert result["equity_curve"]["equity"] == pytest.approx(expected, rel=1e-9)
    assert {*result["trades"]["side"]} == {"long", "short"}
    assert result["ruined_on"] is None
    assert result["metrics"]["exposure"] > 0.9


def test_the_day_of_ruin_is_named() -> None:
    result = of_strategy(lambda bars, _: -np.ones(len(bars)), symbol="AAPL")
    assert result["ruined_on"] is not None
    assert result["metrics"]["final_equity"] == 0.0
    assert result["trades"]["gain"] == [-1.0]


def test_a_target_that_is_no_share_is_a_clear_failure() -> None:
    with pytest.raises(JobFailure, match=r"The strategy mine is broken: target\(\) gives 2.0 after .* from -1 to 1"):
        of_strategy(lambda bars, _: np.full(len(bars), 2.0), symbol="FB")
