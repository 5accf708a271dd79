"""What a backtest gave: drawn, in a file, and beside another one."""

import csv
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.jobs.test_dead_letters import ops_with
from tests.operations.jobs.test_report import JOB
from tests.operations.seen import refusal, whole
from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report
from tradebot_ops.operations.trade import results

DAYS = ["2024-01-01", "2024-06-01", "2025-01-01", "2025-06-01"]
RESULT = {
    "symbol": "AAPL",
    "metrics": {"sharpe": 0.51234, "trades": 2},
    "equity_curve": {"day": DAYS, "equity": [100.0, 200.0, 50.0, 150.0]},
    "trades": {
        "entry_day": DAYS[:2],
        "entry_price": [1.0, 0.0000013],
        "exit_day": DAYS[2:],
        "exit_price": [2.0, 0.0000026],
        "gain": [1.0, 1.0],
        "last_is_open": False,
    },
}
BACKTEST = JOB | {"id": "aaaa0000-0000-0000-0000-000000000001", "result": RESULT}
OTHER = BACKTEST | {
    "id": "bbbb0000-0000-0000-0000-000000000002",
    "result": {"symbol": "MSFT", "metrics": {"sharpe": 1.0}, "note": "few bars"},
}
DEAD = JOB | {"id": "cccc0000-0000-0000-0000-000000000003", "state": "dead", "result": None}


class Api:
    def jobs(self, *_: Any, beginning: str) -> dict[str, Any]:
        return {"jobs": [{"id": each["id"]} for each in (BACKTEST, OTHER, DEAD) if each["id"].startswith(beginning)]}

    def job(self, job_id: str) -> dict[str, Any]:
        return next(each for each in (BACKTEST, OTHER, DEAD) if each["id"] == job_id)


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    return ops_with(Api(), tmp_path)  # type: ignore[arg-type]


def test_equity_and_drawdown_are_drawn_over_the_days(ops: Ops) -> None:
    report = results.show(ops, "aaaa", trades=False, file=None)
    equity, drawdown = ({section.title: section.lines for section in report.sections}[name] for name in
                        ("Equity", "Drawdown in %"))  # fmt: skip
    assert [line.split("┤")[0].strip() for line in equity if "┤" in line] == ["200", "100", "0"]
    assert [line.split("┤")[0].strip() for line in drawdown if "┤" in line][-1] == "-75"
    assert equity[-1].split()[0] == "2024-01-01"
    assert equity[-1].split()[-1] == "2025-06-01"
    assert max(len(line) for line in (*equity, *drawdown)) <= 80


def test_a_job_without_a_curve_has_no_picture(ops: Ops) -> None:
    for typed in ("bbbb", "cccc"):
        report = results.show(ops, typed, trades=False, file=None)
        assert not {"Equity", "Drawdown in %"} & {section.title for section in report.sections}
        assert report.exit_code == 0


def test_trades_are_shown_with_the_digits_of_their_prices(ops: Ops) -> None:
    report = results.show(ops, "aaaa", trades=True, file=None)
    assert report.sections[-1].tables[0].rows[1] == ("2024-06-01", "0.000001300", "2025-06-01", "0.000002600", "1.0000")


def test_trades_have_a_side_since_there_are_short_ones() -> None:
    job = BACKTEST | {"result": RESULT | {"trades": {**RESULT["trades"], "side": ["long", "short"]}}}  # type: ignore[dict-item]
    table = results._trades(job)
    assert table.columns == ("side", "from", "at", "until", "at", "gain")
    assert [row[0] for row in table.rows] == ["long", "short"]


@pytest.mark.parametrize(
    ("trades", "first"),
    [
        (False, [["day", "equity"], ["2024-01-01", "100.0"]]),
        (True, [["entry_day", "entry_price", "exit_day", "exit_price", "gain"],
                ["2024-01-01", "1.0", "2025-01-01", "2.0", "1.0"]]),
    ],
)  # fmt: skip
def test_a_spreadsheet_reads_the_file(ops: Ops, trades: bool, first: list[list[str]], tmp_path: Path) -> None:
    file = tmp_path / "out.csv"
    report = results.show(ops, "aaaa", trades=trades, file=file)
    with file.open(newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows[:2] == first
    assert report.sections[-1].lines == (f"Wrote {len(rows) - 1} rows to {file}.",)


def test_a_spreadsheet_reads_the_best_runs_of_a_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [
        {
            "parameters": {"fast": fast},
            "metrics": {"sharpe": 1.5},
            "out_of_sample": {"place": 2, "metrics": {"sharpe": None}},
        }
        for fast in (5, 10)
    ]
    swept = BACKTEST | {"result": {"best": runs, "buy_and_hold": {}, "heat": None}}
    file = tmp_path / "out.csv"
    monkeypatch.setattr(results, "in_full", lambda _: Report())
    monkeypatch.setattr(Api, "job", lambda *_: swept)
    report = results.show(ops_with(Api(), tmp_path), "aaaa", trades=False, file=file)  # type: ignore[arg-type]
    with file.open(newline="") as stream:
        assert list(csv.reader(stream)) == [
            ["fast", "sharpe", "oos_sharpe", "oos_place"], ["5", "1.5", "", "2"], ["10", "1.5", "", "2"],
        ]  # fmt: skip
    assert report.sections[-1].lines == (f"Wrote 2 rows to {file}.",)


def test_what_is_not_there_is_named(ops: Ops, tmp_path: Path) -> None:
    for typed, trades, file in (("bbbb", True, None), ("cccc", False, tmp_path / "out.csv")):
        with pytest.raises(OpsError) as caught:
            results.show(ops, typed, trades=trades, file=file)
        assert caught.value.code == "TB-0275"
    assert not (tmp_path / "out.csv").exists()
    with pytest.raises(OpsError) as caught:
        results.show(ops, "aaaa", trades=False, file=tmp_path / "none" / "out.csv")
    assert caught.value.code == "TB-0802"


def test_jobs_stand_beside_each_other(ops: Ops) -> None:
    table = results.compare(ops, ["aaaa", "bbbb"]).sections[0].tables[0]
    assert table.rows == (
        ("symbol", "AAPL", "MSFT"),
        ("sharpe", "0.5123", "1.0000"),
        ("trades", "2", ""),
        ("last_is_open", "False", ""),
        ("note", "", "few bars"),
    )
    assert table.columns[0] == "measure"
    assert len(set(table.columns)) == 3


def test_one_without_a_result_is_not_compared(ops: Ops) -> None:
    with pytest.raises(OpsError, match="has no result: it is a backtest that is dead") as caught:
        results.compare(ops, ["aaaa", "cccc"])
    assert caught.value.code == "TB-0275"


def test_several_beside_each_other_as_they_are_seen(ops: Ops, snapshot: SnapshotAssertion) -> None:
    assert whole(results.compare(ops, ["aaaa", "bbbb"])) == snapshot


def test_what_has_no_result_is_told_by_what_is_missing(ops: Ops) -> None:
    seen = []
    for act in (
        lambda: results.compare(ops, ["cccc"]),
        lambda: results.show(ops, "bbbb", trades=True, file=None),
        lambda: results.show(ops, "bbbb", trades=False, file=Path("x.csv")),
    ):
        with pytest.raises(OpsError) as caught:
            act()
        seen.append(refusal(caught.value))
    hint = "tradebot jobs list --type backtest --state succeeded"
    bare = "bbbb0000-0000-0000-0000-000000000002"
    assert seen == [
        ("TB-0275", f"Job {DEAD['id']} has no result: it is a {DEAD['type']} that is dead.", hint),
        ("TB-0275", f"Job {bare} has no trades: it is a {OTHER['type']} that is {OTHER['state']}.", hint),
        ("TB-0275", f"Job {bare} has no equity curve: it is a {OTHER['type']} that is {OTHER['state']}.", hint),
    ]
