"""A sweep over several symbols: each run on each is a backtest, the same days for all, and the median decides."""

import json
from datetime import date
from statistics import median
from typing import Any

import numpy as np
import pytest

from services.common.jobtypes import InParts, JobCancelled, JobFailure, PayloadInvalid
from services.jobs import backtest
from services.jobs.market.candles import Candles
from services.jobs.market.intervals import Interval
from services.jobs.sweep import JOB, asked
from services.jobs.sweeping import parting
from tests.paths import ROOT
from tests.services.jobs.fakes import FileContext
from tests.services.jobs.sweeping.test_parting import in_parts

GRID: dict[str, Any] = {"strategy": "sma_cross", "fast": "2:6:2", "slow": "5,10", "fee_bps": 3}
SYMBOLS = ["FB", "AAPL", "IBM"]


class Cut(FileContext):
    """Of some symbols there are only the candles from a day until before another."""

    def __init__(self, **spans: tuple[str, str]) -> None:
        super().__init__()
        self.spans = spans

    def candles(
        self, symbol: str, start: date | None = None, end: date | None = None, interval: Interval = "1d"
    ) -> Candles:
        whole = super().candles(symbol, start, end, interval)
        first, last = self.spans.get(symbol, ("1900-01-01", "2100-01-01"))
        kept = (whole.day >= np.datetime64(first)) & (whole.day < np.datetime64(last))
        columns = (whole.open, whole.high, whole.low, whole.close, whole.volume, whole.adj_close)
        return Candles(symbol, whole.day[kept], *(values[kept] for values in columns))


def sweep(ctx: FileContext | None = None, **payload: Any) -> dict[str, Any]:
    return JOB.run(ctx or FileContext(), JOB.validate({"symbol": "FB,AAPL,IBM", **GRID, **payload}))


def alone(symbol: str, parameters: dict[str, Any], **days: Any) -> dict[str, Any]:
    payload = {"symbol": symbol, "strategy": "sma_cross", "fee_bps": 3, **parameters, **days}
    return backtest.run(FileContext(), backtest.JOB.validate(payload))


@pytest.fixture(scope="module")
def swept() -> dict[str, Any]:
    return sweep()


def test_each_run_on_each_symbol_is_a_backtest_of_the_same_days(swept: dict[str, Any]) -> None:
    assert swept["symbol"] == "FB, AAPL, IBM"
    assert (swept["start"], swept["holdout_until"]) == ("2012-05-18", "2013-03-01"), "FB is the youngest"
    known = {"start": swept["start"], "end": swept["end"]}
    later = {"start": swept["holdout_from"], "end": swept["holdout_until"]}
    for run in swept["best"]:
        assert [each["symbol"] for each in run["symbols"]] == SYMBOLS
        for each in run["symbols"]:
            assert each["metrics"] == alone(each["symbol"], run["parameters"], **known)["metrics"]
            judged = each["out_of_sample"]["metrics"]
            assert judged == alone(each["symbol"], run["parameters"], **later)["metrics"]
    assert [each["bars_before_start"] > 0 for each in swept["symbols"]] == [False, True, True]


def test_a_run_is_ranked_and_shown_by_its_median_over_the_symbols(swept: dict[str, Any]) -> None:
    runs = swept["best"]
    assert (swept["runs"], len(runs)) == (5, 5)
    for run in runs:
        for name in ("sharpe", "max_drawdown", "trades"):
            assert run["metrics"][name] == median(each["metrics"][name] for each in run["symbols"])
    ranks = [run["metrics"]["sharpe"] for run in runs]
    assert ranks == sorted(ranks, reverse=True)
    judged = [run["out_of_sample"]["metrics"]["sharpe"] for run in runs]
    places = [1 + sum(other > one for other in judged) for one in judged]
    assert [run["out_of_sample"]["place"] for run in runs] == places
    for at in range(len(SYMBOLS)):
        of_one = [run["symbols"][at]["out_of_sample"]["metrics"]["sharpe"] for run in runs]
        places = [1 + sum(other > one for other in of_one) for one in of_one]
        assert [run["symbols"][at]["out_of_sample"]["place"] for run in runs] == places
    held = [each["buy_and_hold"]["out_of_sample"]["sharpe"] for each in swept["symbols"]]
    assert swept["buy_and_hold"]["out_of_sample"]["sharpe"] == median(held)
    assert swept["median"]["in_sample"]["sharpe"] == pytest.approx(median(ranks))
    best = runs[0]["parameters"]
    cell = swept["heat"]["cells"][best["fast"] // 2 - 1][best["slow"] // 5 - 1]
    assert cell == pytest.approx(runs[0]["metrics"]["sharpe"], rel=1e-3)


def test_luck_is_that_among_the_runs_on_each_symbol(swept: dict[str, Any]) -> None:
    days = {"start": swept["start"], "end": swept["end"], "holdout": 0}
    for each in swept["symbols"]:
        one = sweep(symbol=each["symbol"], **days)
        assert (each["trials"], each["sharpe_by_luck"]) == (one["trials"], one["sharpe_by_luck"])
        if one["best"][0]["parameters"] == swept["best"][0]["parameters"]:
            assert each["deflated_sharpe"] == one["deflated_sharpe"]
        else:
            assert each["deflated_sharpe"] < one["deflated_sharpe"]


def test_the_order_of_the_symbols_is_of_no_account(swept: dict[str, Any]) -> None:
    other = sweep(symbol="IBM,FB,AAPL")
    for name in ("start", "end", "holdout_from", "holdout_until", "median", "buy_and_hold", "heat"):
        assert other[name] == swept[name]
    assert [run["parameters"] for run in other["best"]] == [run["parameters"] for run in swept["best"]]


def test_what_the_later_bars_are_changes_nothing_about_the_choice(swept: dict[str, Any]) -> None:
    cut = sweep(end=swept["end"], holdout=0)
    assert [(run["parameters"], run["metrics"]) for run in cut["best"]] == [
        (run["parameters"], run["metrics"]) for run in swept["best"]
    ]
    assert (cut["end"], cut["holdout_from"], cut["holdout_until"]) == (swept["end"], None, None)
    assert "out_of_sample" not in cut["best"][0]["symbols"][0]


def test_a_run_that_does_not_trade_on_most_symbols_comes_last() -> None:
    """With more bars than FB has, and as many as the others have, it trades on them alone."""
    payload = {"symbol": "FB,AAPL", "strategy": "breakout", "lookback": "20,500", "exit_lookback": 5}
    result = JOB.run(FileContext(), JOB.validate(payload))
    last = result["best"][-1]
    assert last["parameters"]["lookback"] == 500
    assert [each["metrics"]["sharpe"] is None for each in last["symbols"]] == [True, False]
    assert last["metrics"]["sharpe"] is None


@pytest.mark.parametrize("holdout", [0, 0.3])
@pytest.mark.parametrize("count", [2, 3, 7])
def test_parts_joined_are_the_whole_bit_for_bit(count: int, holdout: float) -> None:
    """With seven parts of five runs some have none."""
    payload = JOB.validate({"symbol": "FB,AAPL", **GRID, "holdout": holdout})
    ctx = FileContext()
    assert json.dumps(in_parts(ctx, payload, count)) == json.dumps(JOB.run(ctx, payload))


def test_candles_of_any_symbol_that_changed_meanwhile_are_refused() -> None:
    payload, parts = JOB.validate({"symbol": "FB,AAPL", **GRID}), JOB.parts
    assert parts
    results = [parts.run(FileContext(), payload, number, 2) for number in range(2)]
    with pytest.raises(JobFailure, match="candles of one of 2 symbols were changed"):
        parts.join(Cut(AAPL=("2000-01-01", "2013-02-28")), payload, results)


def test_a_long_one_asks_for_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few runs are many on many symbols."""
    tried: list[Any] = []

    def seconds(runs: Any, work: Any) -> float:
        tried.append(work(runs[0]))
        return 1e6

    monkeypatch.setattr(parting, "seconds", seconds)
    assert (sweep()["runs"], tried) == (5, [])
    monkeypatch.setattr(parting, "LEAST_RUNS", 15)
    with pytest.raises(InParts) as told:
        sweep()
    assert (told.value.count, len(tried)) == (5, 1)


def test_one_progress_of_all_symbols_and_one_cancel() -> None:
    ctx = FileContext()
    sweep(ctx)
    assert ctx.told[0] == (0.0, "0 of 30 runs")
    with pytest.raises(JobCancelled):
        sweep(FileContext(cancel_after=0))


def test_what_one_symbol_left_behind_is_given_up_before_the_next() -> None:
    payload = JOB.validate({"symbol": "FB,AAPL", **GRID})
    ctx = FileContext()
    found: Any = asked(ctx, payload)
    found.figures(ctx, found.grid)
    assert [len(days.history._kept) for one in found.ones for days in one.days.values()] == [0] * 4


def test_one_symbol_is_as_it_was_before_there_could_be_several() -> None:
    for written in ("aapl", ["AAPL"], " AAPL ", ("AAPL",)):
        assert JOB.normalise({"symbol": written, "strategy": "breakout"})["symbol"] == "AAPL"
    assert JOB.normalise({"symbol": 7203, "strategy": "breakout"})["symbol"] == "7203"
    assert "symbols" not in sweep(symbol="FB")
    assert (JOB.version, JOB.accepts) == (2, (1,))


def test_several_are_written_in_one_text_or_in_a_list() -> None:
    for written in ("000001, btc/usdt:usdt", ["000001", "BTC/USDT:USDT"]):
        assert JOB.normalise({"symbol": written, "strategy": "breakout"})["symbol"] == ["000001", "BTC/USDT:USDT"]
    comma = JOB.normalise({"symbol": ["A,B"], "strategy": "breakout"})
    assert comma["symbol"] == ["A,B"]
    assert JOB.normalise(comma) == comma, "as it comes out of the ledger"


@pytest.mark.parametrize(
    ("payload", "field", "says"),
    [
        ({"symbol": "AAPL,aapl"}, "symbol", "AAPL is there twice"),
        ({"symbol": "AAPL,"}, "symbol.1", "at least 1 character"),
        ({"symbol": []}, "symbol", "at least 1 item"),
        ({"symbol": [f"S{number}" for number in range(101)]}, "symbol", "at most 100 items"),
        ({"symbol": "A,B,C", "top": 700}, "top", "700 runs on 3 symbols are more than 2000 lines"),
        ({"symbol": "A,B,C", "fast": "1:100", "slow": "101:140"}, "slow", "fast × slow × 3 symbols makes 12000 runs"),
    ],
)
def test_what_is_wrong_names_the_field(payload: dict[str, Any], field: str, says: str) -> None:
    with pytest.raises(PayloadInvalid, match=says) as caught:
        JOB.validate({**GRID, **payload})
    assert caught.value.errors[0][0] == field


def test_one_without_candles_is_named() -> None:
    with pytest.raises(JobFailure, match="no candles for NOPE"):
        sweep(symbol="AAPL,NOPE,FB")


def test_symbols_without_days_in_common_are_one_sentence() -> None:
    with pytest.raises(JobFailure) as caught:
        sweep(Cut(AAPL=("2000-01-01", "2001-03-01")))
    assert str(caught.value) == (
        "AAPL has candles until 2001-02-28, and FB from 2012-05-18 on: the symbols have no days in common."
        " Sweep them one by one, or choose other symbols."
    )


def test_the_days_are_those_that_all_share_the_last_one_included() -> None:
    result = sweep(Cut(AAPL=("2000-01-01", "2012-12-19")), holdout=0)
    assert {(each["start"], each["end"]) for each in result["symbols"]} == {("2012-05-18", "2012-12-18")}


def test_one_with_a_gap_where_the_others_meet_is_named() -> None:
    class Gap(FileContext):
        def candles(self, symbol: str, *days: Any) -> Candles:
            whole = super().candles(symbol, *days)
            kept = np.ones(len(whole), dtype=bool)
            if symbol == "IBM":
                kept[1:-1] = (whole.day < np.datetime64("2012-05-18"))[1:-1]
            columns = (whole.open, whole.high, whole.low, whole.close, whole.volume, whole.adj_close)
            return Candles(symbol, whole.day[kept], *(values[kept] for values in columns))

    with pytest.raises(JobFailure) as caught:
        sweep(Gap())
    assert str(caught.value) == (
        "IBM has too few candles (1) in the days that all share, 2012-05-18 to 2013-03-01."
        " Sweep them one by one, or choose other symbols."
    )


def test_where_one_symbol_has_too_few_bars_to_judge_by_none_is_judged() -> None:
    class Sparse(FileContext):
        """Of IBM every day until the holdout of the others begins, then one."""

        def candles(self, symbol: str, *days: Any) -> Candles:
            whole = super().candles(symbol, *days)
            kept = np.ones(len(whole), dtype=bool)
            if symbol == "IBM":
                kept[:-1] = (whole.day < np.datetime64("2012-11-01"))[:-1]
            columns = (whole.open, whole.high, whole.low, whole.close, whole.volume, whole.adj_close)
            return Candles(symbol, whole.day[kept], *(values[kept] for values in columns))

    result = sweep(Sparse())
    assert (result["holdout_from"], result["end"]) == (None, "2013-03-01")
    assert all("out_of_sample" not in run for run in result["best"])


def test_every_figure_of_a_result_is_defined(swept: dict[str, Any]) -> None:
    asked_for = {"symbol", "interval", "strategy", "fee_bps", "cash", "start", "end", "rank", "runs", "best", "heat"}
    of_one = set(swept["symbols"][0]) - {"symbol", "start", "end", "bars"}
    page = (ROOT / "docs" / "figures.md").read_text(encoding="utf-8")
    assert sorted(name for name in swept.keys() - asked_for | of_one if f"| `{name}` |" not in page) == []
