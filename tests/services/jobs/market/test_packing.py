"""Candles on their way to Postgres and back; Postgres itself reads them in tests/integration/worker/test_store.py."""

import struct
from contextlib import contextmanager
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from services.jobs.market import packing
from services.jobs.market.packing import COPY_HEADER, COPY_TRAILER, columns_of, copy_in, packed, unpacked

ROWS = [("A", "2000-01-02", 1.0, 4.0, 0.5, 2.0, 10.0, 1.5), ("B", "1999-12-31T23:59:59", 5.0, 8.0, 4.0, 6.0, 20.0, 3.0)]
NAMES = ["symbol", "day", "open", "high", "low", "close", "volume", "adj_close"]


def candles(*rows: Any, adjusted: bool = True) -> pd.DataFrame:
    frame = pd.DataFrame(rows or ROWS, columns=NAMES)
    frame["symbol"], frame["day"] = frame["symbol"].astype("category"), frame["day"].astype("datetime64[s]")
    return frame if adjusted else frame.drop(columns="adj_close")


def field(kind: str, value: float) -> bytes:
    """As Postgres writes one: its length, then itself, the largest byte first."""
    content = struct.pack(f">{kind}", value)
    return struct.pack(">i", len(content)) + content


def row(series: int, microseconds: int, *values: float) -> bytes:
    fields = field("i", series), field("q", microseconds), *(field("d", value) for value in values)
    return struct.pack(">h", len(fields)) + b"".join(fields)


@pytest.mark.parametrize("adjusted", [True, False])
def test_each_row_is_one_of_postgres_binary_format(adjusted: bool) -> None:
    (content,) = packed(candles(adjusted=adjusted), {"A": 7, "B": 8})
    values = [each[2:] if adjusted else each[2:-1] for each in ROWS]
    assert content == row(7, 86_400_000_000, *values[0]) + row(8, -1_000_000, *values[1])


def test_rows_of_a_symbol_without_a_number_fail_there_and_not_under_another() -> None:
    (content,) = packed(candles(), {"B": 8})
    assert content.startswith(row(-1, 86_400_000_000, *ROWS[0][2:]))


def test_many_rows_come_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "ROWS_PER_WRITE", 2)
    frame = candles(*[("A", f"2000-01-0{number}", *[float(number)] * 6) for number in range(1, 6)])
    pieces = list(packed(frame, {"A": 1}))
    assert [len(piece) // len(row(1, 0, *[0.0] * 6)) for piece in pieces] == [2, 2, 1]
    (whole,) = packed_at_once(frame, monkeypatch)
    assert b"".join(pieces) == whole


def packed_at_once(frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    monkeypatch.setattr(packing, "ROWS_PER_WRITE", 100)
    return list(packed(frame, {"A": 1}))


@pytest.mark.parametrize(
    ("unit", "days"), [("D", ["2000-01-02", "1999-12-31"]), ("s", ["2000-01-02T00:00:00", "1999-12-31T23:59:59"])]
)
def test_what_was_written_comes_back_with_times_of_its_interval(unit: str, days: list[str]) -> None:
    content = COPY_HEADER + b"".join(packed_out(candles())) + COPY_TRAILER
    found = unpacked("A", content, unit)
    assert (found.symbol, found.day.astype(str).tolist()) == ("A", days)
    columns = (found.open, found.high, found.low, found.close, found.volume, found.adj_close)
    assert [each.tolist() for each in columns] == [[one[at] for one in ROWS] for at in range(2, 8)]
    assert {each.dtype for each in columns} == {np.dtype("float64")}


def packed_out(frame: pd.DataFrame) -> list[bytes]:
    """The rows as Postgres gives them back: all but the number of their series."""
    return [
        struct.pack(">h", 7) + each[2 + 8 :]
        for at in range(len(frame))
        for each in packed(frame.iloc[at : at + 1], {"A": 1, "B": 2})
    ]


def test_what_a_file_has_not_is_not_written() -> None:
    assert columns_of(candles()) == ["o", "h", "l", "c", "v", "adj_close"]
    assert columns_of(candles(adjusted=False)) == ["o", "h", "l", "c", "v"]


class Copy:
    def __init__(self) -> None:
        self.statement, self.content = "", list[bytes]()

    def cursor(self) -> "Copy":
        return self

    @contextmanager
    def copy(self, statement: Any) -> Any:
        self.statement = statement.as_string(None)
        yield self

    def write(self, content: bytes) -> None:
        self.content.append(content)


def test_a_copy_names_its_columns_and_has_a_beginning_and_an_end() -> None:
    all_, some = Copy(), Copy()
    copy_in(cast("Any", all_), "candle", [b"one", b"two"])
    copy_in(cast("Any", some), "incoming", [], ["o", "c"])
    assert all_.statement == (
        'COPY "candle" ("series_id", "ts", "o", "h", "l", "c", "v", "adj_close") FROM STDIN (FORMAT binary)'
    )
    assert some.statement == 'COPY "incoming" ("series_id", "ts", "o", "c") FROM STDIN (FORMAT binary)'
    assert (all_.content, some.content) == ([COPY_HEADER, b"one", b"two", COPY_TRAILER], [COPY_HEADER, COPY_TRAILER])
