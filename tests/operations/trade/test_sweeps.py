"""The result of a real sweep as people see it."""

from io import StringIO
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from services.jobs.sweep import JOB
from tests.operations.jobs.test_report import JOB as RECORD
from tests.operations.jobs.test_report import text
from tests.operations.seen import whole
from tests.services.jobs.fakes import FileContext
from tradebot_ops.model import Report, Table
from tradebot_ops.operations.jobs.report import in_full
from tradebot_ops.operations.trade import sweeps
from tradebot_ops.render.table import render


def result(**payload: Any) -> dict[str, Any]:
    return JOB.run(FileContext(), JOB.validate({"symbol": "FB", "strategy": "sma_cross", **payload}))


@pytest.fixture(scope="module")
def swept() -> dict[str, Any]:
    return result(fast="2:6:2", slow="10,20,30")


def tables(made: dict[str, Any]) -> list[Table]:
    return [table for section in sweeps.sections(made) for table in section.tables]


def test_the_best_have_a_column_for_each_parameter_and_figure(swept: dict[str, Any]) -> None:
    _, best, _ = tables(swept)
    assert best.columns == (
        "", "fast", "slow", "sharpe", "gain", "trades", "oos sharpe", "oos gain", "oos place",
    )  # fmt: skip
    first = swept["best"][0]
    early, late = first["metrics"], first["out_of_sample"]
    assert best.rows[0] == (
        "1",
        str(first["parameters"]["fast"]),
        str(first["parameters"]["slow"]),
        f"{early['sharpe']:.2f}",
        f"{100 * early['total_return']:.1f} %",
        str(early["trades"]),
        f"{late['metrics']['sharpe']:.2f}",
        f"{100 * late['metrics']['total_return']:.1f} %",
        str(late["place"]),
    )
    assert len(best.rows) == 9


def test_the_best_stands_beside_the_median_and_buying(swept: dict[str, Any]) -> None:
    beside = tables(swept)[-1]
    assert [row[0] for row in beside.rows] == ["best run", "median of all runs", "bought and held"]
    held = swept["buy_and_hold"]["out_of_sample"]
    assert beside.rows[2][3:] == (f"{held['sharpe']:.2f}", f"{100 * held['total_return']:.1f} %")


def test_what_it_is_worth_is_said_in_words(swept: dict[str, Any]) -> None:
    shown = text(in_full(RECORD | {"type": "sweep", "result": swept}))
    assert f"Luck alone gives the best of 9 runs a Sharpe ratio of {swept['sharpe_by_luck']:.2f};" in shown
    place = swept["best"][0]["out_of_sample"]["place"]
    assert f"from {swept['holdout_from']} on, it takes place {place} of 9." in shown
    assert "sharpe in sample by fast and slow" in shown


def test_without_a_holdout_there_are_no_columns_for_it() -> None:
    made = result(fast=5, slow="10,20", holdout=0)
    _, best, beside = tables(made)
    assert best.columns == ("", "fast", "slow", "sharpe", "gain", "trades")
    assert beside.columns == ("", "sharpe", "gain")
    assert "is not known" in text(in_full(RECORD | {"result": made}))


def test_what_a_sweep_is_ranked_by_comes_first_within_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    made = result(strategy="mean_reversion", window="10,20", z="0.5:1.5:0.5", exit_z="-0.25,0", rank="max_drawdown")
    _, best, _ = tables(made)
    assert best.columns[4:6] == ("drawdown", "sharpe")
    assert best.rows[0][3] in {"-0.25", "0"}
    assert best.rows[0][4].endswith(" %")
    stream = StringIO()
    monkeypatch.setenv("COLUMNS", "80")
    render(in_full(RECORD | {"result": made}), stream, False)
    assert max(len(line.rstrip()) for line in stream.getvalue().splitlines()) <= 80


@pytest.mark.parametrize(("chance", "said"), [(0.999, "more than 99 %"), (0.4, "40 %"), (0.0, "less than 1 %")])
def test_no_chance_is_certain(swept: dict[str, Any], chance: float, said: str) -> None:
    assert f"has a chance of {said}." in text(in_full(RECORD | {"result": swept | {"deflated_sharpe": chance}}))


def test_a_run_that_never_traded_has_no_figures() -> None:
    made = result(strategy="breakout", lookback=1000, exit_lookback="5,6", holdout=0)
    assert tables(made)[1].rows[0][3] == ""
    assert "Luck" not in text(in_full(RECORD | {"result": made}))


def test_its_best_run_is_what_is_compared(swept: dict[str, Any]) -> None:
    figures = sweeps.figures(swept)
    first = swept["best"][0]
    assert figures["sharpe"] == first["metrics"]["sharpe"]
    assert figures["fast"] == first["parameters"]["fast"]
    assert figures["sharpe out of sample"] == first["out_of_sample"]["metrics"]["sharpe"]
    assert figures["place out of sample"] == first["out_of_sample"]["place"]
    assert not any(isinstance(value, dict | list) for value in figures.values())


def test_over_several_symbols_the_best_run_has_a_line_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    made = result(symbol="FB,AAPL,IBM", fast="2:6:2", slow="10,20,30")
    *_, judged, held = tables(made)
    assert judged.columns == ("symbol", "sharpe", "gain", "trades", "oos sharpe", "oos gain", "oos place")
    best = made["best"][0]
    assert [row[0] for row in judged.rows] == [row[0] for row in held.rows] == ["FB", "AAPL", "IBM"]
    assert [row[1] for row in judged.rows] == [f"{each['metrics']['sharpe']:.2f}" for each in best["symbols"]]
    assert [row[6] for row in judged.rows] == [str(each["out_of_sample"]["place"]) for each in best["symbols"]]
    last = made["symbols"][2]
    assert held.rows[2][3] == f"{last['buy_and_hold']['out_of_sample']['sharpe']:.2f}"
    assert held.rows[2][-1] == f"{100 * last['deflated_sharpe']:.0f} %"
    shown = text(in_full(RECORD | {"type": "sweep", "result": made}))
    assert f"Its figures are the medians over 3 symbols, each from {made['start']} on;" in shown
    assert "Luck alone" not in shown
    stream = StringIO()
    monkeypatch.setenv("COLUMNS", "80")
    render(in_full(RECORD | {"result": made}), stream, False)
    assert max(len(line.rstrip()) for line in stream.getvalue().splitlines()) <= 80


def test_over_several_symbols_without_a_holdout_there_are_no_columns_for_it() -> None:
    made = result(symbol="FB,AAPL", strategy="breakout", lookback=1000, exit_lookback="5,6", holdout=0)
    *_, judged, held = tables(made)
    assert judged.columns == ("symbol", "sharpe", "gain", "trades")
    assert held.columns == ("bought and held", "sharpe", "gain", "not luck")
    assert held.rows[0][-1] == "", "what never traded has no luck"


def test_a_spreadsheet_has_each_run_by_symbol() -> None:
    made = result(symbol="FB,AAPL", fast="2:6:2", slow="10,20")
    names, rows = sweeps.rows(made)
    assert names[:3] == ["fast", "slow", "symbol"]
    assert [row[2] for row in rows[:4]] == ["median", "FB", "AAPL", "median"]
    assert len(rows) == 3 * made["runs"]
    of_apple = made["best"][0]["symbols"][1]
    found = dict(zip(names, rows[2], strict=True))
    assert (found["sharpe"], found["oos_place"]) == (of_apple["metrics"]["sharpe"], of_apple["out_of_sample"]["place"])


def test_older_results_are_shown_as_they_were() -> None:
    old = {"symbol": "FB", "best": [{"parameters": {"fast": 5}, "metrics": {"sharpe": 1.0}}]}
    assert not sweeps.is_one(old)
    assert "heat" in text(in_full(RECORD | {"result": {"heat": "of another type of jobs"}}))
    assert "fast=5  sharpe=1.0000" in text(in_full(RECORD | {"result": old}))


def test_all_of_it_as_it_is_seen(swept: dict[str, Any], snapshot: SnapshotAssertion) -> None:
    """With rounded figures, which are the same on every processor."""
    several = result(symbol="FB,AAPL", fast="2:6:2", slow="10,20")
    for made in (rounded(swept), rounded(several), rounded(swept | {"heat": None, "deflated_sharpe": None})):
        sections = (*sweeps.sections(made), *sweeps.picture(made))
        assert whole(Report(sections=sections)) == snapshot
        assert sweeps.figures(made) == snapshot


def rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: rounded(each) for name, each in value.items()}
    if isinstance(value, list):
        return [rounded(each) for each in value]
    return round(value, 3) if isinstance(value, float) else value


@pytest.mark.parametrize(
    ("chance", "said"), [(0.99, "99 %"), (0.9901, "more than 99 %"), (0.01, "1 %"), (0.0099, "less than 1 %")]
)
def test_at_its_ends_a_chance_is_no_certainty(chance: float, said: str) -> None:
    assert sweeps._percent(chance) == said
