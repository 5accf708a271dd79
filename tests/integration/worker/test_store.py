"""Candles in Postgres: upserts write what differs, bad rows are kept once, reads give back what was put in."""

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
from services.jobs.market import quality, source, store

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
    assert result["rejected_by_reason"] == {
        "high below open, close or low": 1,
        "missing or unreadable value": 1,
    }
    query = (
        "SELECT symbol, ts::date::text, reason, row->>'line' FROM candle_rejected"
        " JOIN series ON series.id = series_id ORDER BY row->>'line'"
    )
    assert ctx.store.execute(query).fetchall() == [
        ("X", "2024-01-03", "high below open, close or low", "3"),
        ("(unreadable)", None, "missing or unreadable value", "4"),
    ]


def test_nothing_is_stored_when_a_load_fails_half_way(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any) -> None:
        raise RuntimeError("half way")

    monkeypatch.setattr(store, "reject", fail)
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
