"""Candles in Postgres: upserts write what differs, bad rows are kept once, reads give back what was put in."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import psycopg.sql
import pytest

from services.common.jobtypes import JobFailure
from services.common.settings import Settings
from services.jobs import load_candles
from services.jobs.market import quality, rejects, source, store

pytestmark = pytest.mark.integration

HEADER = "Symbol,Date,Open,High,Low,Close,Volume,Adj Close\n"


class Context:
    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.store = connection

    def progress(self, fraction: float, note: str = "") -> None:
        assert 0 <= fraction <= 1

    def check_cancelled(self) -> None:
        pass


@pytest.fixture
def ctx(settings: Settings) -> Iterator[Context]:
    with psycopg.connect(settings.postgres_dsn("test").get_secret_value(), autocommit=True) as connection:
        yield Context(connection)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(source.FOLDER_VARIABLE, str(tmp_path))
    return tmp_path


def load(ctx: Context, name: str = source.SAMPLE, **payload: Any) -> dict[str, Any]:
    return load_candles.run(ctx, load_candles.JOB.validate({"file": name, **payload}))  # type: ignore[arg-type]


def test_read_gives_back_what_was_written(ctx: Context) -> None:
    load(ctx)
    frame = source.read(source.locate(source.SAMPLE))
    for symbol in ("AAPL", "FB"):
        expected = frame[frame["symbol"] == symbol]
        candles = store.read(ctx.store, symbol)
        for name in ("open", "high", "low", "close", "volume", "adj_close"):
            np.testing.assert_array_equal(getattr(candles, name), expected[name].to_numpy())
        np.testing.assert_array_equal(candles.day, expected["day"].to_numpy().astype("datetime64[D]"))


def test_days_asked_for_are_included(ctx: Context) -> None:
    load(ctx, symbols=["IBM"])
    some = store.read(ctx.store, "IBM", datetime(2005, 1, 3).date(), datetime(2005, 1, 5).date())  # noqa: DTZ001
    assert [str(day) for day in some.day] == ["2005-01-03", "2005-01-04", "2005-01-05"]
    with pytest.raises(JobFailure, match="there are from 2000-03-01 to 2013-03-01"):
        store.read(ctx.store, "IBM", datetime(2020, 1, 1).date())  # noqa: DTZ001
    with pytest.raises(JobFailure, match="no candles for AAPL"):
        store.read(ctx.store, "AAPL")


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Asia/Tokyo"])
def test_days_are_days_whatever_the_zone_of_the_server(settings: Settings, zone: str) -> None:
    dsn = settings.postgres_dsn("test").get_secret_value()
    with psycopg.connect(dsn, autocommit=True) as connection:
        name = psycopg.sql.Identifier(connection.info.dbname)
        connection.execute(psycopg.sql.SQL("ALTER DATABASE {} SET TimeZone = {}").format(name, zone))
    with psycopg.connect(dsn, autocommit=True) as connection:
        load(Context(connection), symbols=["IBM"])
        day = datetime(2005, 1, 3).date()  # noqa: DTZ001
        assert [str(each) for each in store.read(connection, "IBM", day, day).day] == ["2005-01-03"]
        with pytest.raises(JobFailure, match="there are from 2000-03-01 to 2013-03-01"):
            store.read(connection, "IBM", datetime(2020, 1, 1).date())  # noqa: DTZ001


def test_only_rows_that_differ_are_written(ctx: Context, folder: Path) -> None:
    lines = [f"X,2024-01-0{day},10,11,9,10,100,10" for day in (2, 3, 4)]
    (folder / "a.csv").write_text(HEADER + "\n".join(lines))
    assert load(ctx, "a.csv")["inserted"] == 3
    where = "SELECT count(DISTINCT xmin::text) FROM candle"
    assert ctx.store.execute(where).fetchone() == (1,)
    lines[1] = "X,2024-01-03,10,11,9,10,100,9.5"
    lines.append("X,2024-01-05,10,11,9,10,100,10")
    (folder / "a.csv").write_text(HEADER + "\n".join(lines))
    result = load(ctx, "a.csv")
    assert (result["inserted"], result["updated"], result["unchanged"]) == (1, 1, 2)
    assert store.read(ctx.store, "X").adj_close.tolist() == [10.0, 9.5, 10.0, 10.0]


def test_rejected_rows_are_kept_once_with_their_reason(ctx: Context, folder: Path) -> None:
    lines = ["X,2024-01-02,10,11,9,10,100,10", "X,2024-01-03,10,9,9,10,100,10", ",nonsense,1,1,1,1,,1"]
    (folder / "a.csv").write_text(HEADER + "\n".join(lines))
    for _ in range(2):
        result = load(ctx, "a.csv")
        assert (result["read"], result["rejected"]) == (3, 2)
    assert result["rejected_by_reason"] == {"high is below open": 1, "symbol is empty, or not printable": 1}
    query = (
        "SELECT symbol, ts::date::text, reason, file, line, row FROM candle_rejected"
        " JOIN series ON series.id = series_id ORDER BY line"
    )
    names = HEADER.strip().split(",")
    assert ctx.store.execute(query).fetchall() == [
        ("X", "2024-01-03", "high is below open: high 9, open 10", "a.csv", 3,
         dict(zip(names, lines[1].split(","), strict=True))),
        ("(unreadable)", None, "symbol is empty, or not printable: symbol empty", "a.csv", 4,
         dict(zip(names, lines[2].split(","), strict=True))),
    ]  # fmt: skip
    counts = "SELECT symbol, file, kind, rows FROM candle_rejected_count JOIN series ON series.id = series_id"
    assert set(ctx.store.execute(counts).fetchall()) == {
        ("X", "a.csv", "high is below open", 1),
        ("(unreadable)", "a.csv", "symbol is empty, or not printable", 1),
    }


def test_of_many_rejected_rows_some_are_kept_and_all_are_counted(
    ctx: Context, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "ROWS_PER_PIECE", 700)
    monkeypatch.setattr(rejects, "KEPT", 1000)
    days = [str(np.datetime64("2000-01-01") + number) for number in range(2500)]
    (folder / "bad.csv").write_text(HEADER + "".join(f"X,{day},10,9,8,10,1,10\n" for day in days))
    for _ in range(2):
        result = load(ctx, "bad.csv")
        assert (result["read"], result["rejected"]) == (2500, 2500)
        assert ctx.store.execute("SELECT min(line), max(line), count(*) FROM candle_rejected").fetchone() == (
            2,
            1001,
            1000,
        )
        assert ctx.store.execute("SELECT rows FROM candle_rejected_count").fetchall() == [(2500,)]
    # Others of the same file and kind find no room any more.
    (folder / "bad.csv").write_text(HEADER + "".join(f"X,{day},11,9,8,10,1,10\n" for day in days))
    load(ctx, "bad.csv")
    assert ctx.store.execute("SELECT count(*) FROM candle_rejected").fetchone() == (1000,)


def test_a_million_rejected_rows_take_no_longer_than_a_million_good_ones(ctx: Context, folder: Path) -> None:
    """Here 60 000, which took minutes when each was compared with each."""
    times = {}
    for name, high in (("good", 12), ("bad", 9)):
        lines = (
            f"X{number // 300},{np.datetime64('2000-01-01') + number % 300},10,{high},8,10,1,10\n"
            for number in range(60_000)
        )
        (folder / f"{name}.csv").write_text(HEADER + "".join(lines))
        began = time.perf_counter()
        result = load(ctx, f"{name}.csv")
        times[name] = time.perf_counter() - began
        assert result["rejected"] == (60_000 if name == "bad" else 0)
    assert times["bad"] < 3 * times["good"] + 1


def test_pieces_are_stored_as_one(ctx: Context, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(symbol, f"2024-01-{day:02}", 10 + day) for symbol in ("A", "B") for day in range(2, 22)]
    # The last piece goes back in time, and corrects a bar of the first.
    rows += [("A", "2024-01-01", 50), ("A", "2024-01-02", 60)]
    text = "".join(f"{symbol},{day},{price},{price},{price},{price},1,{price}\n" for symbol, day, price in rows)
    (folder / "a.csv").write_text(HEADER + text)
    monkeypatch.setattr(source, "ROWS_PER_PIECE", 7)
    result = load(ctx, "a.csv")
    assert (result["read"], result["inserted"], result["updated"]) == (42, 41, 1)
    assert store.read(ctx.store, "A").close.tolist() == [50, 60, *range(13, 32)]
    assert store.read(ctx.store, "B").close.tolist() == [*range(12, 32)]
    assert result["symbols"][0] == {"symbol": "A", "rows": 22, "first": "2024-01-01", "last": "2024-01-21"}
    assert load(ctx, "a.csv")["inserted"] == 0


def test_a_file_without_adjusted_closes_or_volumes_leaves_those_that_are_known(ctx: Context, folder: Path) -> None:
    (folder / "full.csv").write_text(HEADER + "X,2024-01-02,10,11,9,10,100,5\nX,2024-01-03,20,22,18,20,200,10\n")
    bare = "Symbol,Date,Open,High,Low,Close\n"
    (folder / "bare.csv").write_text(
        bare + "X,2024-01-02,10,11,9,10\nX,2024-01-03,20,22,18,21\nX,2024-01-04,30,33,27,30\n"
    )
    load(ctx, "full.csv")
    result = load(ctx, "bare.csv")
    assert (result["inserted"], result["updated"], result["unchanged"]) == (1, 1, 1)
    candles = store.read(ctx.store, "X")
    assert candles.adj_close.tolist() == [5.0, 10.5, 30.0]
    assert candles.volume[:2].tolist() == [100.0, 200.0]
    assert np.isnan(candles.volume[2])
    assert load(ctx, "bare.csv")["unchanged"] == 3


def test_bars_within_the_day_are_a_series_of_their_own(ctx: Context, folder: Path) -> None:
    minutes = "".join(f"X,2024-01-02 09:3{minute}:00,10,20,9,1{minute},1,1{minute}\n" for minute in range(5))
    (folder / "minutes.csv").write_text(HEADER + minutes)
    (folder / "days.csv").write_text(HEADER + "X,2024-01-02,10,11,9,10,100,10\n")
    result = load(ctx, "minutes.csv")
    assert result["interval"] == "1m"
    assert result["symbols"][0] == {
        "symbol": "X",
        "rows": 5,
        "first": "2024-01-02T09:30:00",
        "last": "2024-01-02T09:34:00",
    }
    with pytest.raises(JobFailure, match=r"no candles for X; there are some of 1m\. Choose them: interval=1m"):
        store.read(ctx.store, "X")
    assert load(ctx, "days.csv")["inserted"] == 1
    day = datetime(2024, 1, 2).date()  # noqa: DTZ001
    assert store.read(ctx.store, "X").close.tolist() == [10.0]
    found = store.read(ctx.store, "X", day, day, "1m")
    assert found.close.tolist() == [10.0, 11.0, 12.0, 13.0, 14.0]
    assert str(found.day[0]) == "2024-01-02T09:30:00"


def test_nothing_is_stored_when_a_load_fails_half_way(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any) -> None:
        raise RuntimeError("half way")

    monkeypatch.setattr(rejects.Rejects, "store", fail)
    with pytest.raises(RuntimeError, match="half way"):
        load(ctx)
    assert ctx.store.execute("SELECT count(*) FROM candle").fetchone() == (0,)
    assert ctx.store.execute("SELECT count(*) FROM series").fetchone() == (0,)


def test_two_loads_at_once_end_with_one_copy(settings: Settings) -> None:
    checked = quality.check(source.read(source.locate(source.SAMPLE)), datetime.now(UTC))
    dsn = settings.postgres_dsn("test").get_secret_value()
    with psycopg.connect(dsn, autocommit=True) as one, psycopg.connect(dsn, autocommit=True) as two:
        ids = store.series_ids(one, ["AAPL", "FB", "GOOG", "IBM", "MSFT"])
        assert store.series_ids(two, ["AAPL", "FB", "GOOG", "IBM", "MSFT"]) == ids
        with ThreadPoolExecutor() as pool:
            loads = [pool.submit(store.upsert, connection, checked.good, ids) for connection in (one, two)]
            written = sorted((load.result() for load in loads), key=lambda done: done.inserted)
        assert written == [store.Written(0, 0, 12_154), store.Written(12_154, 0, 0)]
        assert one.execute("SELECT count(*) FROM candle").fetchone() == (12_154,)


def test_new_and_known_symbols_come_in_one_file(ctx: Context, folder: Path) -> None:
    lines = ["X,2024-01-02,10,11,9,10,100,10"]
    (folder / "a.csv").write_text(HEADER + "\n".join(lines))
    load(ctx, "a.csv")
    lines += ["X,2024-01-03,10,11,9,10,100,10", "Y,2024-01-02,20,21,19,20,100,20"]
    (folder / "a.csv").write_text(HEADER + "\n".join(lines))
    result = load(ctx, "a.csv")
    assert (result["inserted"], result["updated"], result["unchanged"]) == (2, 0, 1)
    assert store.read(ctx.store, "Y").open.tolist() == [20.0]
