"""Grids: how they are written, bounded, ranked; progress and cancellation."""

from typing import Any

import pytest

from services.common.jobtypes import JobCancelled, JobFailure, JobType, PayloadInvalid
from services.jobs import backtest, walk_forward
from services.jobs.sweep import JOB
from tests.paths import ROOT
from tests.services.jobs.fakes import FileContext


def sweep(ctx: FileContext | None = None, **payload: Any) -> dict[str, Any]:
    return JOB.run(ctx or FileContext(), JOB.validate(payload))


def alone(parameters: dict[str, Any], **days: Any) -> dict[str, Any]:
    payload = {"symbol": "FB", "strategy": "sma_cross", "fee_bps": 3, **parameters, **days}
    return backtest.run(FileContext(), backtest.JOB.validate(payload))


def test_best_come_first_and_equal_single_runs() -> None:
    result = sweep(symbol="FB", strategy="sma_cross", fast="2:6:2", slow="5,10", fee_bps=3, top=4)
    # fast 6 with slow 5 is no crossing.
    assert result["runs"] == 5
    ranked = [run["metrics"]["sharpe"] for run in result["best"]]
    assert len(ranked) == 4
    assert ranked == sorted(ranked, reverse=True)
    best = result["best"][0]
    single = alone(best["parameters"], end=result["end"])
    assert single["metrics"] == best["metrics"]
    assert single["bars"] == result["bars"]


def test_the_last_bars_are_kept_back_and_judge_the_runs() -> None:
    result = sweep(symbol="FB", strategy="sma_cross", fast="2:6:2", slow="5,10", fee_bps=3)
    assert (result["bars"], result["holdout_bars"]) == (137, 59)
    assert result["end"] < result["holdout_from"]
    later = [run["out_of_sample"] for run in result["best"]]
    for run, judged in zip(result["best"], later, strict=True):
        single = alone(run["parameters"], start=result["holdout_from"])
        assert single["metrics"] == judged["metrics"]
        assert single["bars"] == result["holdout_bars"]
    ranks = [judged["metrics"]["sharpe"] for judged in later]
    assert [judged["place"] for judged in later] == [1 + sum(other > rank for other in ranks) for rank in ranks]
    assert sorted(judged["place"] for judged in later) == [1, 2, 3, 4, 5]


def test_what_the_later_bars_are_changes_nothing_about_the_choice() -> None:
    asked: dict[str, Any] = {"symbol": "FB", "strategy": "sma_cross", "fast": "2:6:2", "slow": "5,10"}
    whole = sweep(**asked)
    cut = sweep(**asked, end=whole["end"], holdout=0)
    for name in ("bars", "trials", "deflated_sharpe", "sharpe_by_luck", "heat"):
        assert whole[name] == cut[name]
    assert whole["median"]["in_sample"] == cut["median"]["in_sample"]
    assert [{**run, "out_of_sample": None} for run in cut["best"]] == [
        {**run, "out_of_sample": None} for run in whole["best"]
    ]


def test_the_best_stands_beside_the_median_and_what_needs_no_strategy() -> None:
    result = sweep(symbol="FB", strategy="sma_cross", fast="2:6:2", slow="5,10", holdout=0)
    returns = sorted(run["metrics"]["total_return"] for run in result["best"])
    assert result["median"] == {
        "in_sample": {
            "sharpe": pytest.approx(sorted(run["metrics"]["sharpe"] for run in result["best"])[2]),
            "total_return": pytest.approx(returns[2]),
        }
    }
    bars = FileContext().candles("FB").adjusted()
    held = result["buy_and_hold"]["in_sample"]
    assert held["total_return"] == pytest.approx(bars.close[-1] / bars.close[0] - 1)
    assert (held["trades"], held["exposure"]) == (1, 1.0)
    assert (result["holdout_from"], result["holdout_bars"]) == (None, 0)
    assert "out_of_sample" not in result["best"][0]


def test_too_few_bars_are_not_parted() -> None:
    result = sweep(symbol="FB", strategy="breakout", end="2012-05-22", lookback=1, exit_lookback=1)
    assert (result["bars"], result["holdout_from"]) == (3, None)


def test_two_parameters_make_a_table_of_the_rank() -> None:
    result = sweep(symbol="FB", strategy="sma_cross", fast="2:6:2", slow="5,10", rank="total_return")
    assert result["heat"]["rows"] == {"name": "fast", "values": [2, 4, 6]}
    assert result["heat"]["cells"][2][0] is None
    best = result["best"][0]
    row, column = best["parameters"]["fast"] // 2 - 1, best["parameters"]["slow"] // 5 - 1
    assert result["heat"]["cells"][row][column] == pytest.approx(best["metrics"]["total_return"], rel=1e-3)


def test_every_figure_of_a_result_is_defined() -> None:
    result = sweep(symbol="FB", strategy="sma_cross", fast="2:6:2", slow="5,10")
    asked = {
        "symbol",
        "interval",
        "strategy",
        "fee_bps",
        "cash",
        "start",
        "end",
        "bars",
        "rank",
        "runs",
        "best",
        "heat",
    }
    shown = result.keys() - asked | result["best"][0]["out_of_sample"].keys() - {"metrics"}
    page = (ROOT / "docs" / "figures.md").read_text(encoding="utf-8")
    assert sorted(name for name in shown if f"| `{name}` |" not in page) == []


def test_runs_without_the_figure_come_last() -> None:
    result = sweep(symbol="FB", strategy="breakout", lookback=[5, 1000], exit_lookback=5)
    assert [run["parameters"]["lookback"] for run in result["best"]] == [5, 1000]
    assert result["best"][-1]["metrics"]["sharpe"] is None


def test_progress_is_told_and_a_cancelled_sweep_ends() -> None:
    ctx = FileContext()
    sweep(ctx, symbol="FB", strategy="breakout", lookback="1:9", exit_lookback="1:3")
    assert ctx.told[0] == (0.0, "0 of 54 runs")
    with pytest.raises(JobCancelled):
        sweep(FileContext(cancel_after=0), symbol="FB", strategy="breakout")


@pytest.mark.parametrize(
    ("written", "values"),
    [
        (5, [5]), ([5, 6], [5, 6]), ("5", [5]), ("5, 6", [5, 6]),
        ("2:4", [2, 3, 4]), ("2:9:3,20", [2, 5, 8, 20]),
        ((7,), [7]),
    ],
)  # fmt: skip
def test_values_are_written_as_lists_or_ranges(written: Any, values: list[int]) -> None:
    normal = JOB.normalise({"symbol": "A", "strategy": "breakout", "lookback": written})
    assert normal["lookback"] == values
    assert normal["exit_lookback"] == [10]


def test_fractions_are_spread_without_rounding_dust() -> None:
    assert JOB.normalise({"symbol": "A", "strategy": "mean_reversion", "z": "0.5:1.1:0.1"})["z"] == [
        0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("payload", "field", "says"),
    [
        ({"strategy": "sma_cross", "fast": "1:100", "slow": "101:201"}, "slow", "10100 runs; at most 10000"),
        ({"strategy": "sma_cross", "fast": "9:1"}, "fast", "first ≤ last"),
        ({"strategy": "sma_cross", "fast": "1:9:0"}, "fast", "step above 0"),
        ({"strategy": "sma_cross", "fast": "1:nan"}, "fast", "first ≤ last"),
        ({"strategy": "sma_cross", "fast": "1:1e12"}, "fast", "at most 500"),
        ({"strategy": "sma_cross", "fast": "a:b"}, "fast", "first:last:step"),
        ({"strategy": "sma_cross", "fast": []}, "fast", "at least 1"),
        ({"strategy": "sma_cross", "fast": [3, 0]}, "fast.1", "greater than or equal to 1"),
        ({"strategy": "breakout", "fast": [3]}, "fast", "not a parameter"),
        ({"strategy": "breakout", "rank": "luck"}, "rank", "'sharpe'"),
    ],
)
def test_bad_grid_names_the_field(payload: dict[str, Any], field: str, says: str) -> None:
    with pytest.raises(PayloadInvalid, match=says) as caught:
        JOB.validate({"symbol": "AAPL", **payload})
    assert caught.value.errors[0][0] == field


def test_a_grid_without_a_valid_run_is_a_clear_failure() -> None:
    with pytest.raises(JobFailure, match="No combination"):
        sweep(symbol="FB", strategy="sma_cross", fast=50, slow=20)


@pytest.mark.parametrize(
    ("job", "field", "good", "bad"),
    [
        (JOB, "top", 2000, 2001),
        (JOB, "top", 1, 0),
        (JOB, "holdout", 0.9, 0.91),
        (JOB, "holdout", 0, -0.01),
        (JOB, "lookback", "1:500", "1:501"),
        (JOB, "symbol", [f"S{number}" for number in range(100)], [f"S{number}" for number in range(101)]),
        (walk_forward.JOB, "train_bars", 20, 19),
        (walk_forward.JOB, "train_bars", 10_000_000, 10_000_001),
        (walk_forward.JOB, "test_bars", 2, 1),
        (walk_forward.JOB, "test_bars", 10_000_000, 10_000_001),
        (walk_forward.JOB, "curve_points", 100_000, 100_001),
        (walk_forward.JOB, "curve_points", 0, -1),
    ],
)
def test_what_is_taken_ends_where_it_is_said(job: JobType, field: str, good: Any, bad: Any) -> None:
    request = {"symbol": "A", "strategy": "breakout"}
    assert job.validate({**request, field: good})
    with pytest.raises(PayloadInvalid, match=rf"(^|; ){field}"):
        job.validate({**request, field: bad})


def test_a_list_of_runs_on_many_symbols_has_no_more_lines_than_one_of_many_runs() -> None:
    symbols = [f"S{number}" for number in range(100)]
    assert JOB.validate({"symbol": symbols, "strategy": "breakout", "top": 20})
    with pytest.raises(PayloadInvalid, match="21 runs on 100 symbols are more than 2000 lines"):
        JOB.validate({"symbol": symbols, "strategy": "breakout", "top": 21})
