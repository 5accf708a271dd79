"""Which candles go straight into their table and which are merged, and what is asked of Postgres in which order; it
answers itself in tests/integration/worker/test_store.py."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any, cast

import pandas as pd
import pytest

from services.common.jobtypes import JobFailure
from services.jobs.market import store
from services.jobs.market.packing import COPY_HEADER, COPY_TRAILER
from services.jobs.market.store import READ, UPSERT, Upsert, Written, forget, read, series_ids, upsert
from tests.services.jobs.market.test_packing import ROWS, candles, packed_out

IDS = {"A": 1, "B": 2}
LOCK = "SELECT FROM series WHERE id = ANY(%s) ORDER BY id FOR UPDATE"


class Connection:
    """Writes down what it is asked, and answers with these rows, and a COPY with this content."""

    def __init__(self, *answers: Any, content: bytes = b"") -> None:
        self.answers, self.content = list(answers), content
        self.asked: list[Any] = []

    def execute(self, statement: str, params: Any = None) -> "Connection":
        self.asked.append((statement, params))
        return self

    def cursor(self, row_factory: Any = None) -> "Cursor":
        return Cursor(self, answers=row_factory is not None)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.asked.append("begin")
        yield
        self.asked.append("commit")


class Cursor:
    def __init__(self, connection: Connection, *, answers: bool) -> None:
        self.connection, self.answers = connection, answers
        self.rows: list[Any] = []

    def execute(self, statement: str, params: Any = None) -> "Cursor":
        assert self.answers, "its rows would be of another kind"
        self.connection.execute(statement, params)
        self.rows = self.connection.answers.pop(0) if self.connection.answers else []
        return self

    def fetchall(self) -> list[Any]:
        return self.rows

    def fetchone(self) -> Any:
        return self.rows[0] if self.rows else None

    def __iter__(self) -> Iterator[Any]:
        return iter(self.rows)

    @contextmanager
    def copy(self, statement: str, params: Any) -> Iterator[list[bytes]]:
        self.connection.asked.append((statement, params))
        yield [self.connection.content[:10], self.connection.content[10:]]


def told(connection: Connection) -> list[Any]:
    """The statements alone."""
    return [each if isinstance(each, str) else each[0] for each in connection.asked]


def test_each_series_has_a_number() -> None:
    connection = Connection([("A", 1), ("B", 2)])
    assert series_ids(cast("Any", connection), ["A", "B"], "1h") == IDS
    (insert, made), (select, asked) = connection.asked
    assert insert == (
        "INSERT INTO series (symbol, interval) SELECT symbol, %s FROM unnest(%s::text[]) AS symbol"
        " ORDER BY symbol ON CONFLICT DO NOTHING"
    )
    assert select == "SELECT symbol, id FROM series WHERE interval = %s AND symbol = ANY(%s)"
    assert made == asked == ("1h", ["A", "B"])
    daily = Connection()
    assert series_ids(cast("Any", daily), []) == {}
    assert daily.asked[0][1] == ("1d", [])


def test_a_series_goes_with_its_candles() -> None:
    connection = Connection()
    forget(cast("Any", connection), 7)
    assert connection.asked == [
        "begin", ("DELETE FROM candle WHERE series_id = %s", (7,)), ("DELETE FROM series WHERE id = %s", (7,)),
        "commit",
    ]  # fmt: skip


# Writing


class Writes:
    """An upsert of pieces into series of which ``known`` have candles: which rows went where."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *known: int, merged: tuple[int, int] = (0, 0)) -> None:
        self.connection = Connection()
        self.known = list(known)
        self.straight: list[str] = []
        self.merged: list[str] = []
        monkeypatch.setattr(store, "_lock_series", self._lock)
        monkeypatch.setattr(store, "packed", lambda rows, ids: (rows, ids))
        monkeypatch.setattr(store, "copy_in", self._copy)
        monkeypatch.setattr(store, "_merge", self._merge)
        self.locked: list[list[int]] = []
        self.counts = merged
        self.upsert = Upsert(cast("Any", self.connection))

    def add(self, *rows: str, adjusted: bool = True) -> Written:
        """Rows as ``A2``: of this symbol, of this day."""
        self.straight, self.merged = [], []
        frame = candles(*[(row[0], f"2024-01-0{row[1]}", *[1.0] * 6) for row in rows], adjusted=adjusted)
        return self.upsert.add(frame, IDS)

    def _lock(self, connection: object, numbers: list[int]) -> set[int]:
        assert connection is self.connection
        self.locked.append(numbers)
        return set(self.known) & set(numbers)

    def _copy(self, connection: object, table: str, pieces: Any, columns: list[str]) -> None:
        rows, ids = pieces
        assert (connection, table, ids) == (self.connection, "candle", IDS)
        assert columns == ["o", "h", "l", "c", "v", "adj_close"]
        self.straight = _names(rows)

    def _merge(self, connection: object, rows: pd.DataFrame, ids: dict[str, int]) -> tuple[int, int]:
        assert (connection, ids) == (self.connection, IDS)
        self.merged = _names(rows)
        return self.counts


def _names(rows: pd.DataFrame) -> list[str]:
    return [f"{symbol}{day.day}" for symbol, day in zip(rows["symbol"], rows["day"], strict=True)]


def test_candles_of_a_new_series_go_straight_into_their_table(monkeypatch: pytest.MonkeyPatch) -> None:
    writes = Writes(monkeypatch)
    assert writes.add("A1", "A2", "B1") == Written(3, 0, 0)
    assert (writes.straight, writes.merged, writes.locked) == (["A1", "A2", "B1"], [], [[1, 2]])


def test_later_pieces_do_so_as_long_as_each_begins_after_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    writes = Writes(monkeypatch, merged=(1, 0))
    writes.add("A1", "A2")
    writes.add("A3", "A4", "B4")
    assert (writes.straight, writes.merged) == (["A3", "A4", "B4"], [])
    for again in ("A3", "A4"):
        writes.add(again, "B5")
        assert (writes.straight, writes.merged) == (["B5"] if again == "A3" else [], [again] + ["B5"] * (again == "A4"))
    writes.add("A5")
    assert (writes.straight, writes.merged) == (["A5"], [])
    assert writes.locked == [[1], [2], [], [], []], "each series is locked once"


def test_candles_of_a_series_that_has_some_are_merged(monkeypatch: pytest.MonkeyPatch) -> None:
    writes = Writes(monkeypatch, 1, merged=(2, 1))
    assert writes.add("A1", "A2", "A3", "A4", "B1") == Written(inserted=3, updated=1, unchanged=1)
    assert (writes.straight, writes.merged) == (["B1"], ["A1", "A2", "A3", "A4"])
    writes.add("A5")
    assert writes.merged == ["A5"], "also those that are newer: others may write them meanwhile"


def test_sums_of_several_pieces() -> None:
    assert Written(1, 2, 3) + Written(10, 20, 30) == Written(11, 22, 33)
    assert Written() == Written(0, 0, 0)


def test_an_upsert_of_its_own_is_one_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "copy_in", lambda *_: None)
    connection = Connection([], [])
    assert upsert(cast("Any", connection), candles(), IDS) == Written(2, 0, 0)
    known = "SELECT id FROM unnest(%s::integer[]) AS id WHERE EXISTS (SELECT FROM candle WHERE series_id = id)"
    assert connection.asked == ["begin", (LOCK, ([1, 2],)), (known, ([1, 2],)), "commit"]


@pytest.mark.parametrize(("answer", "found"), [([(1, 1)], Written(1, 1, 0)), ([], Written(0, 0, 2))])
def test_a_merge_has_a_table_of_its_own(monkeypatch: pytest.MonkeyPatch, answer: Any, found: Written) -> None:
    copied: list[Any] = []
    monkeypatch.setattr(store, "copy_in", lambda *words: copied.append((words[1], list(words[2]), words[3])))
    connection = Connection([(1,), (2,)], answer)
    assert Upsert(cast("Any", connection)).add(candles(adjusted=False), IDS) == found
    assert told(connection)[2:] == [
        "CREATE TEMP TABLE incoming (LIKE candle) ON COMMIT DROP", "ANALYZE incoming (series_id)", UPSERT,
        "DROP TABLE incoming",
    ]  # fmt: skip
    (_, none, _), (table, rows, columns) = copied
    assert (none, table, len(rows), columns) == ([], "incoming", 1, ["o", "h", "l", "c", "v"])


# Reading

CONTENT = COPY_HEADER + b"".join(packed_out(candles())) + COPY_TRAILER


@pytest.mark.parametrize(
    ("start", "end", "window"),
    [
        (None, None, ("-infinity", "infinity")),
        (date(2024, 1, 2), None, ("2024-01-02T00:00Z", "infinity")),
        (None, date(2024, 1, 3), ("-infinity", "2024-01-03T24:00Z")),
    ],
)
def test_both_days_are_included(start: date | None, end: date | None, window: tuple[str, str]) -> None:
    connection = Connection([(7,)], content=CONTENT)
    found = read(cast("Any", connection), "A", start, end)
    assert (found.symbol, found.close.tolist()) == ("A", [row[5] for row in ROWS])
    assert connection.asked == [
        ("SELECT id FROM series WHERE symbol = %s AND interval = %s", ("A", "1d")), (READ, (7, *window)),
    ]  # fmt: skip
    assert str(found.day.dtype) == "datetime64[D]"


def test_bars_within_the_day_have_their_time() -> None:
    connection = Connection([(7,)], content=CONTENT)
    assert str(read(cast("Any", connection), "A", interval="1h").day.dtype) == "datetime64[s]"
    assert connection.asked[0][1] == ("A", "1h")


ASKED_FOR, CHOOSE = "in the days asked for; there are", "Choose other days with start= and end=."
THERE = [("1d", "2020-01-01", "2021-01-01"), ("1h", "2022-01-01", "2023-01-01")]


@pytest.mark.parametrize(
    ("interval", "series", "there", "said"),
    [
        (
            "1d", [(7,)], THERE,
            f"There are no candles for A {ASKED_FOR} from 2020-01-01 to 2021-01-01. {CHOOSE}",
        ),
        (
            "1h", [(7,)], THERE,
            f"There are no candles of 1h for A {ASKED_FOR} from 2022-01-01 to 2023-01-01. {CHOOSE}",
        ),
        ("5m", [], THERE, "There are no candles of 5m for A; there are some of 1d, 1h. Choose them: interval=1d"),
        ("1d", [], [], "There are no candles for A. Load some first: tradebot jobs submit load_candles --wait"),
    ],
)  # fmt: skip
def test_where_there_are_none_it_says_what_there_is(interval: Any, series: Any, there: Any, said: str) -> None:
    connection = Connection(series, there, content=COPY_HEADER + COPY_TRAILER)
    with pytest.raises(JobFailure) as failed:
        read(cast("Any", connection), "A", interval=interval)
    assert str(failed.value) == said
    statement, params = connection.asked[-1]
    assert params == ("A",)
    assert statement == (
        "SELECT interval, min(ts)::date, max(ts)::date FROM candle JOIN series ON series.id = series_id"
        " WHERE symbol = %s GROUP BY interval ORDER BY interval"
    )
