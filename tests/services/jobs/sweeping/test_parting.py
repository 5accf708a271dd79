"""A sweep in parts is the same sweep: whatever the cuts, the result has the same digits."""

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.common.jobtypes import InParts, JobFailure
from services.jobs import sweep
from services.jobs.sweeping import parting
from tests.services.jobs.fakes import FileContext

ASKED = {
    "sma_cross": {"fast": "2:6", "slow": "4,7,10"},
    "breakout": {"lookback": "2:9", "exit_lookback": "1,400"},
    "mean_reversion": {"window": "3,20", "z": "0.5,1,9", "exit_z": "0,0.5"},
}


def payload(strategy: str, **more: Any) -> Any:
    return sweep.JOB.validate({"symbol": "FB", "strategy": strategy, **ASKED[strategy], **more})


def through_json(value: Any) -> Any:
    return json.loads(json.dumps(value, allow_nan=False))


def in_parts(ctx: FileContext, asked: Any, count: int) -> dict[str, Any]:
    parts = sweep.JOB.parts
    assert parts
    results = [through_json(parts.run(ctx, asked, number, count)) for number in range(count)]
    return parts.join(ctx, asked, results)


@settings(max_examples=15, deadline=None)
@given(
    st.sampled_from(sorted(ASKED)),
    st.integers(1, 20),
    st.sampled_from([0, 0.3, 0.9]),
    st.sampled_from(["sharpe", "sortino", "total_return", "cagr", "max_drawdown"]),
)
def test_parts_joined_are_the_whole_bit_for_bit(strategy: str, count: int, holdout: float, rank: str) -> None:
    """The numbers of a part may be fewer than the parts, so that some have no run at all."""
    asked, ctx = payload(strategy, holdout=holdout, rank=rank, fee_bps=3), FileContext()
    assert json.dumps(in_parts(ctx, asked, count)) == json.dumps(sweep.JOB.run(ctx, asked))


@given(st.integers(1, 10_000), st.integers(1, 100))
def test_every_run_is_in_one_part_and_parts_are_alike(runs: int, count: int) -> None:
    cuts = [parting.bounds(runs, number, count) for number in range(count)]
    assert [number for cut in cuts for number in range(runs)[cut]] == list(range(runs))
    sizes = {cut.stop - cut.start for cut in cuts}
    assert max(sizes) - min(sizes) <= 1


@given(st.lists(st.floats(width=64), min_size=1), st.data())
def test_numbers_come_back_as_they_were(values: list[float], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(values)))
    parts = [{"days": {"sharpe": np.array(piece)}} for piece in (values[:cut], values[cut:])]
    finite = [value if math.isfinite(value) else math.nan for value in values]
    for part in parts:
        part["days"]["sharpe"][~np.isfinite(part["days"]["sharpe"])] = math.nan
    joined = parting.joined([through_json(parting.plain(part)) for part in parts])
    np.testing.assert_array_equal(joined["days"]["sharpe"], finite)


def test_candles_that_changed_meanwhile_are_refused() -> None:
    asked, ctx = payload("breakout"), FileContext()
    parts = sweep.JOB.parts
    assert parts
    results = [parts.run(ctx, asked, number, 2) for number in range(2)]
    results[1] = parts.run(ctx, payload("breakout", end="2013-02-01"), 1, 2)
    with pytest.raises(JobFailure, match=r"candles of FB were changed .* Submit it again"):
        parts.join(ctx, asked, results)


@pytest.mark.parametrize(("seconds", "parts"), [(0.0, 1), (19.9, 1), (20.0, 2), (20.1, 4), (65.0, 8), (1e6, 500)])
def test_only_what_takes_long_is_done_in_parts(seconds: float, parts: int) -> None:
    assert parting.count(seconds, 500) == parts


def test_a_long_sweep_asks_for_parts_and_a_small_one_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    many = {"lookback": "2:30", "exit_lookback": "1:4"}
    small, large = payload("breakout"), payload("breakout", **many)
    monkeypatch.setattr(parting, "LEAST_S", 1e-6)
    monkeypatch.setattr(parting, "PART_S", 1e-6)
    with pytest.raises(InParts) as asked:
        sweep.JOB.run(FileContext(), large)
    assert asked.value.count > 1
    assert sweep.JOB.run(FileContext(), small)["runs"] == 16, "too few to try some"
    monkeypatch.setattr(parting, "LEAST_S", 1e6)
    assert sweep.JOB.run(FileContext(), large)["runs"] == 116


def test_the_time_of_all_runs_is_estimated_from_few() -> None:
    tried: list[int] = []
    parting.seconds(range(1000), tried.append)
    assert 2 <= len(tried) <= 2 * parting.TRIED_RUNS
    assert max(tried) - min(tried) >= 900 or len(tried) < 2 * parting.TRIED_RUNS
