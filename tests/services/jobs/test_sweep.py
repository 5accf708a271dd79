"""Grids: how they are written, bounded, ranked; progress and cancellation."""

from typing import Any

import pytest

from services.common.jobtypes import JobCancelled, JobFailure, PayloadInvalid
from services.jobs import backtest
from services.jobs.sweep import JOB
from tests.services.jobs.fakes import FileContext


def sweep(ctx: FileContext | None = None, **payload: Any) -> dict[str, Any]:
    return JOB.run(ctx or FileContext(), JOB.validate(payload))


def test_best_come_first_and_equal_single_runs() -> None:
    result = sweep(symbol="FB", strategy="sma_cross", fast="2:6:2", slow="5,10", fee_bps=3, top=4)
    # fast 6 with slow 5 is no crossing.
    assert result["runs"] == 5
    ranked = [run["metrics"]["sharpe"] for run in result["best"]]
    assert len(ranked) == 4
    assert ranked == sorted(ranked, reverse=True)
    best = result["best"][0]
    single = backtest.JOB.validate({"symbol": "FB", "strategy": "sma_cross", "fee_bps": 3, **best["parameters"]})
    assert backtest.run(FileContext(), single)["metrics"] == best["metrics"]


def test_runs_without_the_figure_come_last() -> None:
    result = sweep(symbol="FB", strategy="breakout", lookback=[5, 1000], exit_lookback=5)
    assert [run["parameters"]["lookback"] for run in result["best"]] == [5, 1000]
    assert result["best"][-1]["metrics"]["sharpe"] is None


def test_progress_is_told_and_a_cancelled_sweep_ends() -> None:
    ctx = FileContext()
    sweep(ctx, symbol="FB", strategy="breakout", lookback="1:9", exit_lookback="1:3")
    assert ctx.told[0] == (0.0, "0 of 27 runs")
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
        ({"strategy": "sma_cross", "fast": "1:100", "slow": "101:200"}, "slow", "10000 runs; at most 2000"),
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
