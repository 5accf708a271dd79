"""What is chosen is what a sweep of the same days puts first, what it makes is a backtest of the days after them."""

import json
from typing import Any

import pytest

from services.common.jobtypes import InParts, JobCancelled, JobFailure, PayloadInvalid
from services.jobs import backtest, sweep
from services.jobs.sweeping import parting
from services.jobs.walk_forward import JOB
from tests.paths import ROOT
from tests.services.jobs.fakes import FileContext

ASKED: dict[str, Any] = {"symbol": "FB", "strategy": "sma_cross", "fast": "2:6:2", "slow": "5,10", "fee_bps": 3}
SIZES: dict[str, Any] = {"train_bars": 80, "test_bars": 30}


def walk(ctx: FileContext | None = None, **payload: Any) -> dict[str, Any]:
    return JOB.run(ctx or FileContext(), JOB.validate({**ASKED, **SIZES, **payload}))


def run(job_type: Any, **payload: Any) -> dict[str, Any]:
    result: dict[str, Any] = job_type.run(FileContext(), job_type.validate(payload))
    return result


@pytest.mark.parametrize("rank", ["sharpe", "max_drawdown"])
@pytest.mark.parametrize("anchored", [False, True])
def test_each_choice_is_the_best_of_a_sweep_and_a_backtest_of_the_days_after(rank: str, anchored: bool) -> None:
    result = walk(rank=rank, anchored=anchored)
    assert len(result["folds"]) == 4
    for number, fold in enumerate(result["folds"]):
        swept = run(sweep.JOB, **ASKED, rank=rank, holdout=0, start=fold["train_from"], end=fold["train_until"], top=5)
        best = swept["best"][0]
        assert swept["bars"] == 80 + (30 * number if anchored else 0)
        assert fold["parameters"] == best["parameters"]
        assert fold["in_sample"]["cagr"] == pytest.approx(best["metrics"]["cagr"])
        days = {"start": fold["test_from"], "end": fold["test_until"]}
        after = [
            run(backtest.JOB, symbol="FB", strategy="sma_cross", fee_bps=3, **each["parameters"], **days)["metrics"]
            for each in swept["best"]
        ]
        for name, value in fold["out_of_sample"].items():
            assert value == pytest.approx(after[0][name])
        ranks = [each[rank] for each in after]
        assert fold["place"] == 1 + sum(each > ranks[0] + 1e-12 for each in ranks)
        assert fold["median"] == pytest.approx(sorted(ranks)[2])


def test_what_comes_later_changes_nothing_that_was_before() -> None:
    whole, until = walk(curve_points=1000), 2
    last = whole["folds"][until - 1]["test_until"]
    cut = walk(curve_points=1000, end=last)
    assert cut["folds"] == whole["folds"][:until]
    known = cut["equity_curve"]
    assert known["day"][-1] == last
    assert known["equity"] == whole["equity_curve"]["equity"][: len(known["day"])]


def test_the_account_begins_at_the_close_that_made_the_first_choice() -> None:
    result = walk(curve_points=1000)
    assert result["equity_curve"]["day"][0] == result["folds"][0]["train_until"] == result["start"]
    assert result["equity_curve"]["equity"][:2] == [10_000.0, pytest.approx(10_000, rel=0.1)]
    after = run(backtest.JOB, symbol="FB", strategy="sma_cross", start=result["folds"][0]["test_from"])
    assert result["bars"] == 1 + after["bars"]
    assert result["metrics"]["total_return"] == pytest.approx(result["equity_curve"]["equity"][-1] / 10_000 - 1)
    promised = [fold["in_sample"]["cagr"] for fold in result["folds"]]
    assert result["efficiency"] == pytest.approx(result["metrics"]["cagr"] / (sum(promised) / len(promised)))


def test_a_run_that_never_traded_has_no_place() -> None:
    result = run(JOB, symbol="FB", strategy="breakout", lookback=500, exit_lookback=5, **SIZES)
    assert {(fold["place"], fold["median"]) for fold in result["folds"]} == {(None, None)}
    assert result["efficiency"] is None


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7])
def test_parts_joined_are_the_whole_bit_for_bit(count: int) -> None:
    asked, ctx, parts = JOB.validate({**ASKED, **SIZES}), FileContext(), JOB.parts
    assert parts
    results = [json.loads(json.dumps(parts.run(ctx, asked, number, count))) for number in range(count)]
    assert json.dumps(parts.join(ctx, asked, results)) == json.dumps(JOB.run(ctx, asked))


def test_parts_that_saw_other_candles_are_not_joined() -> None:
    asked, parts = JOB.validate({**ASKED, **SIZES}), JOB.parts
    assert parts
    with pytest.raises(JobFailure, match="The candles of FB were changed while the job ran"):
        parts.join(FileContext(), asked, [{**parts.run(FileContext(), asked, 0, 1), "candles": "others"}])


def test_a_long_one_is_done_in_parts_of_whole_folds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parting, "LEAST_S", 1e-9)
    monkeypatch.setattr(parting, "PART_S", 1e-9)
    with pytest.raises(InParts) as raised:
        walk(slow="7:60")
    assert raised.value.count == 4
    assert len(walk()["folds"]) == 4, "few runs are not worth it"


def test_progress_is_told_and_a_cancelled_one_ends() -> None:
    ctx = FileContext()
    walk(ctx)
    assert ctx.told[0] == (0.0, "0 of 40 runs")
    with pytest.raises(JobCancelled):
        walk(FileContext(cancel_after=0))


@pytest.mark.parametrize(("name", "value"), [("train_bars", 19), ("test_bars", 1), ("rank", "luck"), ("holdout", 0.3)])
def test_what_makes_no_sense_is_refused(name: str, value: Any) -> None:
    with pytest.raises(PayloadInvalid):
        JOB.validate({**ASKED, **SIZES, name: value})


def test_every_figure_of_a_result_is_defined() -> None:
    named = {"symbol", "interval", "strategy", "fee_bps", "cash", "start", "end", "bars", "rank", "runs", "metrics"}
    named |= {"train_bars", "test_bars", "anchored", "equity_curve", "trades"}
    result = walk()
    shown = (result.keys() - named) | {"place", "median"}
    page = (ROOT / "docs" / "figures.md").read_text(encoding="utf-8")
    assert sorted(name for name in shown if f"| `{name}` |" not in page) == []
