"""What a load counts, keeps and shows of the pieces of a file, the sound rows and the rejected ones."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, cast

import pytest

from services.jobs.market import loaded, quality, rejects, source
from services.jobs.market.loaded import Loaded
from services.jobs.market.rejects import COUNT, KEPT, STORE, UNREADABLE_SYMBOL
from services.jobs.market.store import Written

NOW = datetime(2026, 11, 28, tzinfo=UTC)
HEADER = "Ticker,Date,Open,High,Low,Close,Volume\n"
FILE = HEADER + (
    "AAPL,2024-01-02,1,4,0.5,2,10\n"
    "AAPL,2024-01-03,2,1,0.5,2,10\n"  # high is below open
    "MSFT,2024-01-02,1,4,0.5,2,10\n"
    ",2024-01-03,1,4,0.5,2,10\n"  # no symbol
    "AAPL,2024-01-04,-1,4,0.5,2,10\n"  # open is not positive
    "AAPL,,1,4,0.5,2,10\n"  # no day
    "AAPL,2024-01-05,9,8,0.5,2,10\n"  # high is below open
    "AAPL,2024-01-08,1,4,0.5,2,10\n"
)


def load(path: Path, text: str = FILE, rows: int = 3) -> Loaded:
    path.write_text(text)
    found = Loaded()
    for piece in source.pieces(path, rows=rows):
        found.add(piece, quality.check(piece.frame, NOW, piece.interval))
    return found


@pytest.fixture
def found(tmp_path: Path) -> Loaded:
    return load(tmp_path / "a.csv")


def test_a_result_says_what_was_read_stored_and_rejected(found: Loaded) -> None:
    found.written = Written(1, 2, 3)
    result = found.result(0.12345)
    assert {name: result[name] for name in ("interval", "read", "inserted", "updated", "unchanged", "rejected")} == {
        "interval": "1d", "read": 8, "inserted": 1, "updated": 2, "unchanged": 3, "rejected": 5,
    }  # fmt: skip
    assert result["rejected_by_reason"] == {
        "high is below open": 2,
        quality.NO_SYMBOL: 1,
        "open is not positive": 1,
        quality.NO_DAY: 1,
    }
    assert (result["seconds"], result["rows_per_second"]) == (0.123, 65)
    assert result["symbols"] == [
        {"symbol": "AAPL", "rows": 2, "first": "2024-01-02", "last": "2024-01-08"},
        {"symbol": "MSFT", "rows": 1, "first": "2024-01-02", "last": "2024-01-02"},
    ]


def test_each_rejected_row_is_shown_with_its_line_and_what_is_wrong_with_which_cells(found: Loaded) -> None:
    shown = found.result(1.0)["rejected_examples"]
    assert shown == [
        {
            "line": 3, "symbol": "AAPL", "day": "2024-01-03 00:00:00",
            "reason": "high is below open: high 1, open 2",
        },
        {
            "line": 5, "symbol": UNREADABLE_SYMBOL, "day": "2024-01-03 00:00:00",
            "reason": f"{quality.NO_SYMBOL}: symbol empty",
        },
        {
            "line": 6, "symbol": "AAPL", "day": "2024-01-04 00:00:00",
            "reason": "open is not positive: open -1",
        },
        {"line": 7, "symbol": "AAPL", "day": None, "reason": f"{quality.NO_DAY}: day empty"},
        {
            "line": 8, "symbol": "AAPL", "day": "2024-01-05 00:00:00",
            "reason": "high is below open: high 8, open 9",
        },
    ]  # fmt: skip
    assert found.rejects.rows[0].cells == {
        "Ticker": "AAPL", "Date": "2024-01-03", "Open": "2", "High": "1", "Low": "0.5", "Close": "2", "Volume": "10",
    }  # fmt: skip
    assert found.rejects.rows[0].kind == "high is below open"


def test_pieces_make_no_difference(tmp_path: Path) -> None:
    one, many = (load(tmp_path / "a.csv", rows=rows).result(1.0) for rows in (100, 1))
    for result in (one, many):
        for name in ("flags", "flagged", "rejected_by_reason"):  # of gaps a piece sees its own rows alone
            result[name] = sorted(result[name]) if name == "rejected_by_reason" else []
    assert one == many


def test_of_a_kind_the_first_rows_are_kept_and_all_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rejects, "KEPT", 2)
    rows = "".join(f"A,2024-01-{day:02},9,8,0.5,2,1\n" for day in range(2, 7)) + "A,2024-02-01,-1,8,0.5,2,1\n"
    for size in (100, 2, 1):
        found = load(tmp_path / "a.csv", HEADER + rows, size)
        assert [each.line for each in found.rejects.rows] == [2, 3, 7]
        assert found.rejects.counts == {("A", "high is below open"): 5, ("A", "open is not positive"): 1}
    assert found.rejects.symbols() == {"A"}


def test_a_cell_is_kept_as_it_can_be_stored(tmp_path: Path) -> None:
    found = load(tmp_path / "a.csv", HEADER + f"A,2024-01-02,a\x00b,8,0.5,2,{'9' * 300}\n")
    (row,) = found.rejects.rows
    assert (row.cells["Open"], len(row.cells["Volume"])) == ("a\\x00b", 200)


def test_examples_and_symbols_have_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loaded, "EXAMPLES", 2)
    monkeypatch.setattr(loaded, "SYMBOLS", 1)
    rows = "".join(f"{name},2024-0{month}-02,1,4,0.5,2,1\n" for name in "ABC" for month in (1, 3))
    rows += "".join(f"C,2024-05-{day:02},9,8,0.5,2,1\n" for day in range(6, 10))
    result = load(tmp_path / "a.csv", HEADER + rows, rows=4).result(1.0)
    assert (len(result["rejected_examples"]), result["rejected"]) == (2, 4)
    assert [each["symbol"] for each in result["symbols"]] == ["A"]
    assert len(result["flags"]) <= 2
    assert sum(result["flagged"].values()) >= len(result["flags"])


def test_flags_are_counted_and_some_are_shown(tmp_path: Path) -> None:
    checked = None
    found = Loaded()
    (tmp_path / "a.csv").write_text(FILE)
    flags = tuple(quality.Flag("AAPL", f"day {number}", "gap", "why") for number in range(15))
    for piece in source.pieces(tmp_path / "a.csv", rows=100):
        checked = replace(quality.check(piece.frame, NOW, piece.interval), flags=flags)
        found.add(piece, checked)
        found.add(piece, checked)
    assert found.flagged == {"gap": 30}
    assert found.flags == [*flags, *flags[:5]]
    assert found.result(1.0)["flags"][0] == {"symbol": "AAPL", "day": "day 0", "kind": "gap", "detail": "why"}


def test_bars_within_the_day_are_shown_with_their_time(tmp_path: Path) -> None:
    rows = "".join(f"A,2024-01-02T{hour:02}:00:00Z,1,4,0.5,2,1\n" for hour in range(3))
    result = load(tmp_path / "a.csv", HEADER + rows).result(1.0)
    assert (result["interval"], result["symbols"]) == (
        "1h", [{"symbol": "A", "rows": 3, "first": "2024-01-02", "last": "2024-01-02T02:00:00"}],
    )  # fmt: skip


# How rejected rows are stored


class Connection:
    """Writes down statements with what fills them, and the rows of a COPY."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.rows: list[tuple[Any, ...]] = []

    def execute(self, statement: str, params: Any = None) -> None:
        self.asked.append((statement, params))

    def cursor(self) -> "Connection":
        return self

    def copy(self, statement: str) -> "Connection":
        self.asked.append(statement)
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def write_row(self, row: tuple[Any, ...]) -> None:
        self.rows.append((*row[:2], row[2].obj, *row[3:]))


def test_rejected_rows_are_stored_with_their_counts(found: Loaded) -> None:
    connection = Connection()
    ids = {"AAPL": 1, UNREADABLE_SYMBOL: 2}
    found.rejects.store(cast("Any", connection), "a.csv", ids)
    create, copy, analyze, store, drop, count = connection.asked
    assert create[0].startswith(
        "CREATE TEMP TABLE rejected_now ON COMMIT DROP AS SELECT series_id, ts, row, reason, kind"
    )
    assert create[0].endswith(", line FROM candle_rejected WITH NO DATA")
    assert copy == "COPY rejected_now (series_id, ts, row, reason, kind, line) FROM STDIN"
    assert (analyze[0], drop[0]) == ("ANALYZE rejected_now", "DROP TABLE rejected_now")
    assert store == (STORE, {"file": "a.csv", "kept": KEPT})
    assert count[0] == COUNT
    assert sorted(zip(*count[1], strict=True)) == [
        (1, "a.csv", quality.NO_DAY, 1), (1, "a.csv", "high is below open", 2),
        (1, "a.csv", "open is not positive", 1), (2, "a.csv", quality.NO_SYMBOL, 1),
    ]  # fmt: skip
    first = found.rejects.rows[0]
    assert connection.rows[0] == (1, "2024-01-03 00:00:00Z", first.cells, first.reason, first.kind, 3)
    assert [row[:2] for row in connection.rows] == [
        (1, "2024-01-03 00:00:00Z"), (2, "2024-01-03 00:00:00Z"), (1, "2024-01-04 00:00:00Z"), (1, None),
        (1, "2024-01-05 00:00:00Z"),
    ]  # fmt: skip


def test_where_nothing_was_rejected_nothing_is_asked() -> None:
    connection = Connection()
    Loaded().rejects.store(cast("Any", connection), "a.csv", {})
    assert connection.asked == []
