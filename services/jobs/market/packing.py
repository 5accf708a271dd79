"""Candles in Postgres' binary COPY format, as numpy arrays: there and back."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import psycopg
import psycopg.sql

from services.jobs.market.candles import Candles

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

COLUMNS = {"o": "open", "h": "high", "l": "low", "c": "close", "v": "volume", "adj_close": "adj_close"}
# Postgres counts microseconds from here.
EPOCH = "2000-01-01"
COPY_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
COPY_TRAILER = b"\xff\xff"
ROWS_PER_WRITE = 50_000


def columns_of(good: "pd.DataFrame") -> list[str]:
    """The columns of ``candle`` that these rows fill; without an adjusted close it stays null."""
    return [name for name, column in COLUMNS.items() if column in good]


def packed(good: "pd.DataFrame", ids: dict[str, int]) -> Iterator[bytes]:
    """Rows in Postgres' binary COPY format, piece by piece: the next is packed while the last is on its way."""
    for at in range(0, len(good), ROWS_PER_WRITE):
        yield _pack(good.iloc[at : at + ROWS_PER_WRITE], ids).tobytes()


def _pack(good: "pd.DataFrame", ids: dict[str, int]) -> "np.ndarray[Any, np.dtype[np.void]]":
    """Each field behind its length, as one array."""
    import numpy as np

    names = columns_of(good)
    rows = np.empty(len(good), dtype=[("fields", ">i2"), ("n_id", ">i4"), ("id", ">i4"), *_layout(names)])
    rows["fields"], rows["n_id"], rows["n_ts"] = 2 + len(names), 4, 8
    codes = good["symbol"].cat
    numbers = np.array([ids.get(symbol, -1) for symbol in codes.categories], dtype=np.int32)
    rows["id"] = numbers[codes.codes.to_numpy()]
    since = good["day"].to_numpy().astype("datetime64[us]") - np.datetime64(EPOCH, "us")
    rows["ts"] = since.astype(np.int64)
    for name in names:
        rows[f"n_{name}"] = 8
        rows[name] = good[COLUMNS[name]].to_numpy()
    return rows


def copy_in(
    connection: psycopg.Connection[Any], table: str, pieces: Iterable[bytes], columns: Iterable[str] = COLUMNS
) -> None:
    """Send packed rows to a table shaped like ``candle``."""
    names = psycopg.sql.SQL(", ").join(map(psycopg.sql.Identifier, ("series_id", "ts", *columns)))
    statement = psycopg.sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)")
    with connection.cursor().copy(statement.format(psycopg.sql.Identifier(table), names)) as copy:
        copy.write(COPY_HEADER)
        for piece in pieces:
            copy.write(piece)
        copy.write(COPY_TRAILER)


def unpacked(symbol: str, content: bytes, unit: str) -> Candles:
    """Candles out of a COPY of ts and all columns; their times in this unit of numpy, ``D`` or ``s``."""
    import numpy as np

    body = content[len(COPY_HEADER) : -len(COPY_TRAILER)]
    rows = np.frombuffer(body, dtype=[("fields", ">i2"), *_layout(COLUMNS)])
    time = np.datetime64(EPOCH, "us") + rows["ts"].astype(np.int64).astype("timedelta64[us]")
    return Candles(symbol, time.astype(f"datetime64[{unit}]"), *(rows[name].astype(np.float64) for name in COLUMNS))


def _layout(columns: Iterable[str]) -> list[tuple[str, str]]:
    fields = [("n_ts", ">i4"), ("ts", ">i8")]
    for name in columns:
        fields += [(f"n_{name}", ">i4"), (name, ">f8")]
    return fields
