"""The result of a real walk forward as people see it."""

from typing import Any

import pytest

from services.jobs.walk_forward import JOB
from tests.operations.jobs.test_report import JOB as RECORD
from tests.operations.jobs.test_report import text
from tests.services.jobs.fakes import FileContext
from tradebot_ops.operations.jobs.report import in_full
from tradebot_ops.operations.trade import walks


@pytest.fixture(scope="module")
def walked() -> dict[str, Any]:
    asked = {"symbol": "FB", "strategy": "sma_cross", "fast": "2:6:2", "slow": "5,10"}
    return JOB.run(FileContext(), JOB.validate({**asked, "train_bars": 80, "test_bars": 30}))


def test_each_choice_is_a_line(walked: dict[str, Any]) -> None:
    choices = walks.sections(walked)[1]
    assert choices.title == "Best of 5 runs, chosen 4 times"
    (table,) = choices.tables
    assert table.columns == ("traded from", "fast", "slow", "sharpe", "oos sharpe", "oos gain", "oos place")
    first = walked["folds"][0]
    early, late = first["in_sample"], first["out_of_sample"]
    assert table.rows[0] == (
        first["test_from"],
        str(first["parameters"]["fast"]),
        str(first["parameters"]["slow"]),
        f"{early['sharpe']:.2f}",
        f"{late['sharpe']:.2f}",
        f"{100 * late['total_return']:.1f} %",
        str(first["place"]),
    )
    assert len(table.rows) == 4


def test_what_it_is_worth_is_said_in_words(walked: dict[str, Any]) -> None:
    folds = [
        {**walked["folds"][0], "place": place, "median": median, "out_of_sample": {"sharpe": reached}}
        for place, median, reached in ((1, 0.5, 0.6), (2, 0.5, 0.5), (None, None, None))
    ]
    made = {**walked, "folds": folds, "efficiency": 0.456}
    made["metrics"] = {**walked["metrics"], "total_return": 0.25}
    made["buy_and_hold"] = {**walked["buy_and_hold"], "total_return": -0.1}
    shown = text(in_full(RECORD | {"type": "walk_forward", "result": made}))
    assert "on the days after it gained 25.0 %; bought and held, -10.0 %." in shown
    assert "1 of 2 choices did better than the median of all runs on their days." in shown
    assert "A year it earned 46 % of what the chosen had earned in sample." in shown
    assert "A year" not in text(in_full(RECORD | {"result": {**made, "efficiency": None}}))


def test_of_very_many_choices_some_are_shown_and_the_others_counted(walked: dict[str, Any]) -> None:
    many = {**walked, "folds": walked["folds"][:1] * (walks.LISTED + 2)}
    _, choices, words = walks.sections(many)
    assert len(choices.tables[0].rows) == walks.LISTED
    assert words.lines[0] == "2 more: tradebot jobs show ID --json"
    assert "more" not in walks.sections(walked)[2].lines[0]


def test_figures_to_compare_are_those_of_the_account(walked: dict[str, Any]) -> None:
    """Not of what is beside it and has figures of the same names."""
    found = walks.figures(walked)
    assert found["total_return"] == walked["metrics"]["total_return"] != walked["buy_and_hold"]["total_return"]
    assert (found["train_bars"], found["runs"]) == (80, 5)
    assert not any(isinstance(value, dict | list) for value in found.values())
