"""Candles in Postgres: written through binary COPY and one upsert, read back as arrays."""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import psycopg
import psycopg.rows

from services.common.jobtypes import JobFailure
from services.jobs.market.candles import Candles
from services.jobs.market.intervals import DAILY, Interval
from services.jobs.market.packing import columns_of, copy_in, packed, unpacked

if TYPE_CHECKING:
    import pandas as pd

Connection = psycopg.Connection[Any]

# A file without volumes (NaN) or adjusted closes (null) leaves those that are known; where the close was corrected, the
# adjusted one moves with it.
MERGED = """
  coalesce(nullif(EXCLUDED.v, 'NaN'), old.v),
  coalesce(EXCLUDED.adj_close,
           CASE WHEN EXCLUDED.c = old.c THEN old.adj_close ELSE old.adj_close * EXCLUDED.c / old.c END)
"""
UPSERT = f"""
WITH written AS (
  INSERT INTO candle AS old (series_id, ts, o, h, l, c, v, adj_close)
  SELECT series_id, ts, o, h, l, c, v, adj_close FROM incoming
  ON CONFLICT (series_id, ts) DO UPDATE
    SET (o, h, l, c, v, adj_close) = (EXCLUDED.o, EXCLUDED.h, EXCLUDED.l, EXCLUDED.c, {MERGED})
    WHERE (old.o, old.h, old.l, old.c, old.v, old.adj_close)
      IS DISTINCT FROM (EXCLUDED.o, EXCLUDED.h, EXCLUDED.l, EXCLUDED.c, {MERGED})
  RETURNING xmax = 0 AS fresh
)
SELECT count(*) FILTER (WHERE fresh) AS inserted, count(*) FILTER (WHERE NOT fresh) AS updated FROM written
"""  # noqa: S608 - of two constants

READ = """
COPY (
  SELECT ts, o, h, l, c, v, coalesce(adj_close, c) FROM candle
  WHERE series_id = %s AND ts >= %s AND ts < %s ORDER BY ts
) TO STDOUT (FORMAT binary)
"""


@dataclass(frozen=True)
class Written:
    """Effect of an upsert, in rows; ``unchanged`` rows were there already, equal in every column."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0

    def __add__(self, other: "Written") -> "Written":
        return Written(self.inserted + other.inserted, self.updated + other.updated, self.unchanged + other.unchanged)


def series_ids(connection: Connection, symbols: list[str], interval: Interval = DAILY) -> dict[str, int]:
    """The number of each symbol's series of this interval; made where there is none."""
    connection.execute(
        "INSERT INTO series (symbol, interval) SELECT symbol, %s FROM unnest(%s::text[]) AS symbol"
        " ORDER BY symbol ON CONFLICT DO NOTHING",
        (interval, symbols),
    )
    rows = _tuples(connection).execute(
        "SELECT symbol, id FROM series WHERE interval = %s AND symbol = ANY(%s)", (interval, symbols)
    )
    return dict(rows.fetchall())


class Upsert:
    """Stores checked rows (``quality.check``) piece by piece in the open transaction; equal rows are left as they are.

    Candles of a series that has none yet go straight into their table, which takes half the time of a merge; so do
    those of its later pieces, as long as each begins after the last. The series are locked until the transaction ends,
    so that two loads of one symbol come one after the other.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._locked: set[int] = set()
        # The time of the newest candle of each series that had none when it was locked.
        self._newest: dict[str, Any] = {}

    def add(self, good: "pd.DataFrame", ids: dict[str, int]) -> Written:
        """Store one piece; ``ids`` has the number of each of its symbols."""
        import numpy as np

        spans = good.groupby("symbol", observed=True)["day"].agg(["min", "max"])
        new = {str(symbol): ids[str(symbol)] for symbol in spans.index if ids[str(symbol)] not in self._locked}
        known = _lock_series(self._connection, list(new.values()))
        self._locked |= set(new.values())
        self._newest |= {symbol: np.datetime64("NaT") for symbol, number in new.items() if number not in known}
        straight = {}
        for symbol, first, last in spans.itertuples():
            newest = self._newest.get(str(symbol))
            straight[symbol] = newest is not None and (np.isnat(newest) or first > newest)
            if newest is not None:
                self._newest[str(symbol)] = np.fmax(newest, last.to_datetime64())
        fresh = good["symbol"].map(straight).astype(bool)
        copy_in(self._connection, "candle", packed(good[fresh], ids), columns_of(good))
        inserted, updated = int(fresh.sum()), 0
        if not fresh.all():
            more, updated = _merge(self._connection, good[~fresh], ids)
            inserted += more
        return Written(inserted, updated, len(good) - inserted - updated)


def upsert(connection: Connection, good: "pd.DataFrame", ids: dict[str, int]) -> Written:
    """Store checked rows in one transaction."""
    with connection.transaction():
        return Upsert(connection).add(good, ids)


def forget(connection: Connection, series_id: int) -> None:
    """Take away a series and its candles."""
    with connection.transaction():
        connection.execute("DELETE FROM candle WHERE series_id = %s", (series_id,))
        connection.execute("DELETE FROM series WHERE id = %s", (series_id,))


def _lock_series(connection: Connection, numbers: list[int]) -> set[int]:
    """Lock these series until the transaction ends; those of them that have candles."""
    connection.execute("SELECT FROM series WHERE id = ANY(%s) ORDER BY id FOR UPDATE", (numbers,))
    query = "SELECT id FROM unnest(%s::integer[]) AS id WHERE EXISTS (SELECT FROM candle WHERE series_id = id)"
    return {row[0] for row in _tuples(connection).execute(query, (numbers,))}


def _merge(connection: Connection, good: "pd.DataFrame", ids: dict[str, int]) -> tuple[int, int]:
    """Rows inserted and rows updated."""
    connection.execute("CREATE TEMP TABLE incoming (LIKE candle) ON COMMIT DROP")
    copy_in(connection, "incoming", packed(good, ids), columns_of(good))
    # Without figures the planner takes a temporary table for tiny.
    connection.execute("ANALYZE incoming (series_id)")
    inserted, updated = _tuples(connection).execute(UPSERT).fetchone() or (0, 0)
    connection.execute("DROP TABLE incoming")
    return inserted, updated


def read(
    connection: Connection,
    symbol: str,
    start: date | None = None,
    end: date | None = None,
    interval: Interval = DAILY,
) -> Candles:
    """Candles of one symbol in order of time, both days included; ``JobFailure`` when there are none.

    Their ``day`` is a date, or, of bars within the day, the time in UTC at which they begin.
    """
    ids = (
        _tuples(connection)
        .execute("SELECT id FROM series WHERE symbol = %s AND interval = %s", (symbol, interval))
        .fetchone()
    )
    window = (f"{start}T00:00Z" if start else "-infinity", f"{end}T24:00Z" if end else "infinity")
    content = _copy_out(connection, (ids[0], *window)) if ids else b""
    candles = unpacked(symbol, content, "D" if interval == DAILY else "s")
    if not len(candles):
        raise _nothing(connection, symbol, interval)
    return candles


def _copy_out(connection: Connection, params: tuple[Any, ...]) -> bytes:
    with connection.cursor().copy(READ, params) as copy:
        return b"".join(copy)


def _nothing(connection: Connection, symbol: str, interval: Interval) -> JobFailure:
    query = (
        "SELECT interval, min(ts)::date, max(ts)::date FROM candle JOIN series ON series.id = series_id"
        " WHERE symbol = %s GROUP BY interval ORDER BY interval"
    )
    there = {row[0]: row[1:] for row in _tuples(connection).execute(query, (symbol,))}
    bars = "candles" if interval == DAILY else f"candles of {interval}"
    if interval in there:
        first, last = there[interval]
        return JobFailure(
            f"There are no {bars} for {symbol} in the days asked for; there are from {first} to {last}.",
            hint="Choose other days with start= and end=.",
        )
    if there:
        return JobFailure(
            f"There are no {bars} for {symbol}; there are some of {', '.join(there)}.",
            hint=f"Choose them: interval={next(iter(there))}",
        )
    return JobFailure(
        f"There are no candles for {symbol}.",
        hint="Load some first: tradebot jobs submit load_candles --wait",
    )


def _tuples(connection: Connection) -> "psycopg.Cursor[tuple[Any, ...]]":
    return connection.cursor(row_factory=psycopg.rows.tuple_row)
