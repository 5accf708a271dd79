"""Files as people have them: symbols that look like numbers, columns by many names, more rows than memory."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.common.jobtypes import JobFailure
from services.jobs import backtest
from services.jobs.market import source

NAMES = ("000001", "7203", "1E5", "^GSPC", "EURUSD=X", "BTC/USDT:USDT", "BRK.B", "NA", "TRUE", "1_0", "0X1F", "INF")
HEADER = "Symbol,Date,Open,High,Low,Close,Volume\n"


def written(tmp_path: Path, content: str, name: str = "mine.csv") -> Path:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    return path


@pytest.mark.parametrize("column", ["Symbol", "SYMBOL", "symbol", "Ticker", " ticker ", "TICKER"])
def test_a_symbol_is_the_text_that_stands_there(tmp_path: Path, column: str) -> None:
    rows = "".join(f"{name},2024-01-02,1,2,1,2,3\n" for name in NAMES)
    frame = source.read(written(tmp_path, HEADER.replace("Symbol", column) + rows))
    assert frame["symbol"].astype(str).tolist() == list(NAMES)


def test_each_symbol_that_is_loaded_can_be_asked_for(tmp_path: Path) -> None:
    odd = (*NAMES, "brk.b", "Ö&Co", " spaced out ", "A" * 100)
    rows = "".join(f"{name},2024-01-02,1,2,1,2,3\n" for name in odd)
    loaded = source.read(written(tmp_path, HEADER + rows))["symbol"].astype(str).tolist()
    asked = [backtest.JOB.normalise({"symbol": name, "strategy": "breakout"})["symbol"] for name in odd]
    assert loaded == asked


@pytest.mark.parametrize("name", ["", "  ", "A" * 101, "A\x07B", "A\u200bB"])
def test_what_cannot_be_asked_for_is_not_loaded(tmp_path: Path, name: str) -> None:
    frame = source.read(written(tmp_path, HEADER + f"{name},2024-01-02,1,2,1,2,3\n"))
    assert frame["symbol"].tolist() == [""]


def test_a_file_without_a_symbol_is_of_the_one_that_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, "Date,Open,High,Low,Close\n2024-01-02,1,2,1,2\n")
    (piece,) = source.pieces(path, symbol="BTC/USDT")
    assert piece.frame["symbol"].tolist() == ["BTC/USDT"]
    with pytest.raises(JobFailure, match=r"no column symbol; it has Date, Open, High, Low, Close\. Name the symbol"):
        source.read(path)


def test_pieces_have_their_lines_and_make_up_the_file(tmp_path: Path) -> None:
    rows = [f"X,{np.datetime64('2020-01-01') + number},1,2,1,2,{number}" for number in range(25)]
    rows.insert(7, "")
    path = tmp_path / "many.csv.gz"
    path.write_bytes(gzip.compress((HEADER + "\n".join(rows)).encode()))
    pieces = list(source.pieces(path, rows=10))
    assert [len(piece.frame) for piece in pieces] == [9, 10, 6]
    assert pieces[-1].done == 1.0
    lines = np.concatenate([piece.frame["line"].to_numpy() for piece in pieces])
    assert lines.tolist() == [number for number in range(2, 28) if number != 9]
    assert np.concatenate([piece.frame["volume"].to_numpy() for piece in pieces]).tolist() == list(range(25))
    assert pieces[1].cells["Volume"].tolist() == [str(number) for number in range(9, 19)]


def test_only_the_symbols_that_are_asked_for_are_read(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER + "A,2024-01-02,1,2,1,2,3\nB,2024-01-02,1,2,1,2,3\nA,2024-01-03,1,2,1,2,3\n")
    (piece,) = source.pieces(path, only=("A",))
    assert piece.frame["line"].tolist() == [2, 4]
    assert piece.cells["Date"].tolist() == ["2024-01-02", "2024-01-03"]


@pytest.mark.parametrize(
    ("times", "interval", "days"),
    [
        (["2024-01-02", "2024-01-03"], "1d", ["2024-01-02", "2024-01-03"]),
        # As yfinance writes days of New York and of Tokyo.
        (["2024-01-02 00:00:00-05:00", "2024-01-03 00:00:00-05:00"], "1d", ["2024-01-02", "2024-01-03"]),
        (["2024-01-02 00:00:00+09:00", "2024-01-03 00:00:00+09:00"], "1d", ["2024-01-02", "2024-01-03"]),
        (["2024-03-09T00:00:00-0500", "2024-03-10T00:00:00-0500", "2024-03-11T00:00:00-0400"], "1d",
         ["2024-03-09", "2024-03-10", "2024-03-11"]),
        (["2024-01-02T05:00:00Z", "2024-01-03T05:00:00Z"], "1d", ["2024-01-02", "2024-01-03"]),
        (["2024-01-02 09:30", "2024-01-02 09:31"], "1m", ["2024-01-02T09:30", "2024-01-02T09:31"]),
        (["2024-01-02 09:30:00-05:00", "2024-01-02 10:30:00-05:00"], "1h", ["2024-01-02T14:30", "2024-01-02T15:30"]),
        (["2024-01-02T00:00:00Z", "2024-01-02T04:00:00Z"], "4h", ["2024-01-02T00:00", "2024-01-02T04:00"]),
    ],
)  # fmt: skip
def test_the_file_shows_its_interval_and_days_are_as_written(
    tmp_path: Path, times: list[str], interval: str, days: list[str]
) -> None:
    path = written(tmp_path, HEADER + "".join(f"X,{time},1,2,1,2,3\n" for time in times))
    (piece,) = source.pieces(path)
    assert piece.interval == interval
    np.testing.assert_array_equal(piece.frame["day"].to_numpy(), np.array(days, dtype="datetime64[s]"))


@pytest.mark.parametrize(
    ("times", "asked", "says"),
    [
        (["2024-01-02 09:30:00"], None, "times of day and one bar of each symbol"),
        (["2024-01-02 09:30:00", "2024-01-02 09:37:00"], None, "420 s apart, which is no interval known"),
        (["2024-01-02 09:30:00", "2024-01-02 09:31:00"], "1d", "are 1m apart, not 1d"),
        (["2024-01-02 09:30:00", "2024-01-02 09:31:00"], "1h", "are 1m apart, not 1h"),
    ],
)
def test_an_interval_that_is_not_clear_is_asked_for(tmp_path: Path, times: list[str], asked: Any, says: str) -> None:
    path = written(tmp_path, HEADER + "".join(f"X,{time},1,2,1,2,3\n" for time in times))
    with pytest.raises(JobFailure, match=says):
        list(source.pieces(path, interval=asked))


def test_minutes_with_gaps_are_those_of_the_interval_that_is_named(tmp_path: Path) -> None:
    times = ["2024-01-02 09:30", "2024-01-02 09:37", "2024-01-02 09:44"]
    path = written(tmp_path, HEADER + "".join(f"X,{time},1,2,1,2,3\n" for time in times))
    (piece,) = source.pieces(path, interval="1m")
    assert piece.interval == "1m"


def test_of_two_columns_with_one_meaning_the_first_counts(tmp_path: Path) -> None:
    path = written(tmp_path, "timestamp,date,symbol,open,high,low,close\n2024-01-02,junk,X,1,2,1,2\n")
    assert str(source.read(path)["day"].iat[0])[:10] == "2024-01-02"


@pytest.mark.parametrize("first", ["sep=|", "SEP=|", "Sep=|"])
def test_a_first_line_that_names_the_delimiter_is_heard(tmp_path: Path, first: str) -> None:
    path = written(tmp_path, f"{first}\nDate|Symbol|Open|High|Low|Close\n2024-01-02|X|1|2|1|2\n")
    (piece,) = source.pieces(path)
    assert (piece.frame["close"].tolist(), piece.frame["line"].tolist()) == ([2.0], [3])


@pytest.mark.parametrize(
    "content",
    [b"no gzip", gzip.compress(b"Date,Open")[:-4], gzip.compress(b"\xff\xfe\xff")],
    ids=["of another kind", "cut off", "no text"],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.csv.gz"
    path.write_bytes(content)
    with pytest.raises(JobFailure, match=r"^broken\.csv\.gz is not a readable CSV file: "):
        source.read(path)
