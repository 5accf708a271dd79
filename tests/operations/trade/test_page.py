"""The page of a job: whole in itself, and what it draws is what there is."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.operations.jobs.test_dead_letters import ops_with
from tests.operations.jobs.test_report import DEAD, JOB
from tests.operations.trade.test_results import BACKTEST, RESULT, Api
from tests.operations.trade.test_sweeps import result
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.jobs.report import in_full
from tradebot_ops.operations.trade import results
from tradebot_ops.operations.trade.page import HEIGHT, WIDTH, below_highest, curves, fields, page


class Elements(HTMLParser):
    """Every element with its attributes, and all text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.found = list[tuple[str, dict[str, str | None]]]()
        self.text = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def of(job: dict[str, Any]) -> Elements:
    return Elements(page(job, in_full(job, pictures=False), None))


def test_curves_touch_the_edges_of_their_pictures() -> None:
    equity, drawdown = curves(RESULT)
    assert equity.points == f"0.0,{HEIGHT / 2:.1f} 333.3,0.0 666.7,{HEIGHT * 0.75:.1f} {WIDTH}.0,{HEIGHT / 4:.1f}"
    assert (equity.low, equity.high, equity.first, equity.last) == (0.0, 200.0, "2024-01-01", "2025-06-01")
    assert (drawdown.low, drawdown.high) == (-75.0, 0.0)
    assert below_highest([0.0, 2.0, 1.0]) == [0.0, 0.0, -50.0]


def test_a_page_loads_nothing_and_has_every_trade(tmp_path: Path) -> None:
    file = tmp_path / "job.html"
    report = results.show(ops_with(Api(), tmp_path), "aaaa", trades=False, file=None, page=file)  # type: ignore[arg-type]
    assert report.sections[-1].lines == (f"Wrote {file}: open it in a browser.",)
    source = file.read_text()
    assert not re.search(r"https?:|src=|href=|url\(|@import|<script", source)
    made = Elements(source)
    assert [tag for tag, _ in made.found].count("polyline") == 2
    assert all(day in made.text for day in RESULT["trades"]["entry_day"])  # type: ignore[index]
    assert "Sharpe" in made.text or "sharpe" in made.text


def test_a_sweep_has_a_field_for_each_run() -> None:
    swept = result(fast="2:6:2", slow="5,10")
    made = of(JOB | {"type": "sweep", "result": swept})
    assert [tag for tag, _ in made.found].count("rect") == 5  # fast 6 with slow 5 is no crossing
    assert "█" not in made.text
    found = fields(swept["heat"])
    assert (min(each.shade for each in found), max(each.shade for each in found)) == (0.08, 1.0)
    best = swept["best"][0]["parameters"]
    darkest = max(found, key=lambda each: each.shade)
    assert darkest.words.startswith(f"fast {best['fast']}, slow {best['slow']}: ")


@pytest.mark.parametrize("cells", [[[None, None]], [[0.5, None]]])
def test_few_runs_are_drawn_as_well(cells: list[list[float | None]]) -> None:
    axes = {"rows": {"name": "a", "values": [1]}, "columns": {"name": "b", "values": [1, 2]}}
    assert [each.words for each in fields(axes | {"cells": cells})] == ["a 1, b 1: 0.5"] * (cells[0][0] is not None)


def test_text_of_others_is_text() -> None:
    made = of(BACKTEST | {"result": RESULT | {"symbol": "<script>alert(1)</script>"}})
    assert "script" not in {tag for tag, _ in made.found}
    assert "<script>alert(1)</script>" in made.text


def test_a_job_without_a_result_has_a_page_of_its_error() -> None:
    made = of(DEAD)
    assert "Timeout: over 60 s" in made.text
    assert "svg" not in {tag for tag, _ in made.found}


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OpsError) as caught:
        results.show(
            ops_with(Api(), tmp_path),  # type: ignore[arg-type]
            "aaaa",
            trades=False,
            file=None,
            page=tmp_path / "none" / "job.html",
        )
    assert caught.value.code == "TB-0802"
