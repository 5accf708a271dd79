"""Candles in Postgres: written through binary COPY and one upsert, read back as arrays."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.types.json import Jsonb

from services.common.jobtypes import JobFailure
from services.jobs.market.candles import Candles

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

Connection = psycopg.Connection[Any]

DAILY = "1d"
COLUMNS = ("o", "h", "l", "c", "v", "adj_close")
# Postgres counts microseconds from here.
EPOCH = "2000-01-01"
COPY_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
COPY_TRAILER = b"\xff\xff"
ROWS_PER_WRITE = 50_000

UPSERT = """
WITH written AS (
  INSERT INTO candle AS old (series_id, ts, o, h, l, c, v, adj_close)
  SELECT series_id, ts, o, h, l, c, v, adj_close FROM incoming
  ON CONFLICT (series_id, ts) DO UPDATE
    SET (o, h, l, c, v, adj_close)
      = (EXCLUDED.o, EXCLUDED.h, EXCLUDED.l, EXCLUDED.c, EXCLUDED.v, EXCLUDED.adj_close)
    WHERE (old.o, old.h, old.l, old.c, old.v, old.adj_close)
      IS DISTINCT FROM (EXCLUDED.o, EXCLUDED.h, EXCLUDED.l, EXCLUDED.c, EXCLUDED.v, EXCLUDED.adj_close)
  RETURNING xmax = 0 AS fresh
)
SELECT count(*) FILTER (WHERE fresh) AS inserted, count(*) FILTER (WHERE NOT fresh) AS updated FROM written
"""

REJECT = """
INSERT INTO candle_rejected (series_id, ts, row, reason)
SELECT %(series)s, %(ts)s, %(row)s, %(reason)s
WHERE NOT EXISTS (
  SELECT FROM candle_rejected
  WHERE series_id = %(series)s AND ts IS NOT DISTINCT FROM %(ts)s::timestamptz
    AND reason = %(reason)s AND row = %(row)s::jsonb)
"""

READ = """
COPY (
  SELECT ts, o, h, l, c, v, coalesce(adj_close, c) FROM candle
  WHERE series_id = %s AND ts >= %s AND ts < %s ORDER BY ts
) TO STDOUT (FORMAT binary)
"""


@dataclass(frozen=True)
class Written:
    """Effect of an upsert, in rows; ``unchanged`` rows were there already, equal in every column."""

    inserted: int
    updated: int
    unchanged: int


def series_ids(connection: Connection, symbols: list[str]) -> dict[str, int]:
    """The number of each symbol's daily series; made where there is none."""
    connection.execute(
        "INSERT INTO series (symbol, interval) SELECT symbol, %s FROM unnest(%s::text[]) AS symbol"
        " ORDER BY symbol ON CONFLICT DO NOTHING",
        (DAILY, symbols),
    )
    rows = _tuples(connection).execute(
        "SELECT symbol, id FROM series WHERE interval = %s AND symbol = ANY(%s)", (DAILY, symbols)
    )
    return dict(rows.fetchall())


def upsert(connection: Connection, good: "pd.DataFrame", ids: dict[str, int]) -> Written:
    """Store checked rows (``quality.check``) in one transaction; equal rows are not written again.

    Candles of a series that has none yet go straight into their table, which takes half the time of an upsert. The
    series are locked meanwhile, so that two loads of one symbol come one after the other.
    """
    with connection.transaction():
        known = _lock_series(connection, list(ids.values()))
        fresh = ~good["symbol"].map({symbol: number in known for symbol, number in ids.items()}).astype(bool)
        copy_in(connection, "candle", packed(good[fresh], ids))
        inserted, updated = int(fresh.sum()), 0
        if not fresh.all():
            more, updated = _merge(connection, good[~fresh], ids)
            inserted += more
    return Written(inserted, updated, len(good) - inserted - updated)


def forget(connection: Connection, series_id: int) -> None:
    """Take away a series and its candles."""
    with connection.transaction():
        connection.execute("DELETE FROM candle WHERE series_id = %s", (series_id,))
        connection.execute("DELETE FROM series WHERE id = %s", (series_id,))


def _lock_series(connection: Connection, numbers: list[int]) -> set[int]:
    """Lock these series until the transaction ends; those of them that have candles."""
    connection.execute("SELECT FROM series WHERE id = ANY(%s) ORDER BY id FOR UPDATE", (numbers,))
    query = "SELECT id FROM unnest(%s) AS id WHERE EXISTS (SELECT FROM candle WHERE series_id = id)"
    return {row[0] for row in _tuples(connection).execute(query, (numbers,))}


def _merge(connection: Connection, good: "pd.DataFrame", ids: dict[str, int]) -> tuple[int, int]:
    """Rows inserted and rows updated."""
    connection.execute("CREATE TEMP TABLE incoming (LIKE candle) ON COMMIT DROP")
    copy_in(connection, "incoming", packed(good, ids))
    # Without figures the planner takes a temporary table for tiny.
    connection.execute("ANALYZE incoming (series_id)")
    inserted, updated = _tuples(connection).execute(UPSERT).fetchone() or (0, 0)
    connection.execute("DROP TABLE incoming")
    return inserted, updated


def reject(connection: Connection, bad: "pd.DataFrame", ids: dict[str, int]) -> None:
    """Keep rejected rows with their reason, each once however often its file is loaded."""
    rows = []
    for record in bad.to_dict("records"):
        reason, symbol, day = record.pop("reason"), record.pop("symbol"), record.pop("day")
        known = str(day)[:10] if str(day) != "NaT" else None
        row = Jsonb({name: value for name, value in record.items() if math.isfinite(value)})
        rows.append({"series": ids[symbol], "ts": known and f"{known}T00:00Z", "row": row, "reason": reason})
    with connection.cursor() as cursor:
        cursor.executemany(REJECT, rows)


def read(connection: Connection, symbol: str, start: date | None = None, end: date | None = None) -> Candles:
    """Candles of one symbol in order of time, both ends included; ``JobFailure`` when there are none."""
    ids = (
        _tuples(connection)
        .execute("SELECT id FROM series WHERE symbol = %s AND interval = %s", (symbol, DAILY))
        .fetchone()
    )
    window = (f"{start}T00:00Z" if start else "-infinity", f"{end}T24:00Z" if end else "infinity")
    candles = _candles(symbol, _copy_out(connection, (ids[0], *window)) if ids else b"")
    if not len(candles):
        raise _nothing(connection, symbol)
    return candles


def packed(good: "pd.DataFrame", ids: dict[str, int]) -> Iterator[bytes]:
    """Rows in Postgres' binary COPY format, piece by piece: the next is packed while the last is on its way."""
    for at in range(0, len(good), ROWS_PER_WRITE):
        yield _pack(good.iloc[at : at + ROWS_PER_WRITE], ids).tobytes()


def _pack(good: "pd.DataFrame", ids: dict[str, int]) -> "np.ndarray[Any, np.dtype[np.void]]":
    """Each field behind its length, as one array."""
    import numpy as np

    rows = np.empty(len(good), dtype=_layout())
    rows["fields"], rows["n_id"], rows["n_ts"] = 8, 4, 8
    codes = good["symbol"].cat
    numbers = np.array([ids.get(symbol, -1) for symbol in codes.categories], dtype=np.int32)
    rows["id"] = numbers[codes.codes.to_numpy()]
    since = good["day"].to_numpy().astype("datetime64[us]") - np.datetime64(EPOCH, "us")
    rows["ts"] = since.astype(np.int64)
    for name, column in zip(COLUMNS, ("open", "high", "low", "close", "volume", "adj_close"), strict=True):
        rows[f"n_{name}"] = 8
        rows[name] = good[column].to_numpy()
    return rows


def copy_in(connection: Connection, table: str, pieces: Iterable[bytes]) -> None:
    """Send packed rows to a table shaped like ``candle``."""
    statement = psycopg.sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(psycopg.sql.Identifier(table))
    with connection.cursor().copy(statement) as copy:
        copy.write(COPY_HEADER)
        for piece in pieces:
            copy.write(piece)
        copy.write(COPY_TRAILER)


def _layout() -> list[tuple[str, str]]:
    fields = [("fields", ">i2"), ("n_id", ">i4"), ("id", ">i4"), ("n_ts", ">i4"), ("ts", ">i8")]
    for name in COLUMNS:
        fields += [(f"n_{name}", ">i4"), (name, ">f8")]
    return fields


def _copy_out(connection: Connection, params: tuple[Any, ...]) -> bytes:
    with connection.cursor().copy(READ, params) as copy:
        return b"".join(copy)


def _candles(symbol: str, content: bytes) -> Candles:
    import numpy as np

    layout = [("fields", ">i2"), ("n_ts", ">i4"), ("ts", ">i8")]
    for name in COLUMNS:
        layout += [(f"n_{name}", ">i4"), (name, ">f8")]
    body = content[len(COPY_HEADER) : -len(COPY_TRAILER)]
    rows = np.frombuffer(body, dtype=layout)
    day = np.datetime64(EPOCH, "us") + rows["ts"].astype(np.int64).astype("timedelta64[us]")
    return Candles(symbol, day.astype("datetime64[D]"), *(rows[name].astype(np.float64) for name in COLUMNS))


def _nothing(connection: Connection, symbol: str) -> JobFailure:
    query = (
        "SELECT min(ts)::date, max(ts)::date FROM candle JOIN series ON series.id = series_id"
        " WHERE symbol = %s AND interval = %s"
    )
    first, last = _tuples(connection).execute(query, (symbol, DAILY)).fetchone() or (None, None)
    if first is None:
        return JobFailure(
            f"There are no candles for {symbol}.",
            hint="Load some first: tradebot jobs submit load_candles --wait",
        )
    return JobFailure(
        f"There are no candles for {symbol} in the days asked for; there are from {first} to {last}.",
        hint="Choose other days with start= and end=.",
    )


def _tuples(connection: Connection) -> "psycopg.Cursor[tuple[Any, ...]]":
    return connection.cursor(row_factory=psycopg.rows.tuple_row)
