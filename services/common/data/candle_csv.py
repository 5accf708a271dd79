"""The stored candles of one series as CSV that ``load_candles`` reads again to equal ones.

Prices have all of their digits, times are in UTC, and an unknown volume is an empty cell. Where some bars have no
adjusted close, theirs is their close, as backtests take it; where no bar has one there is no such column.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from psycopg import sql

from services.common.database import Database

#: So many bars are read at once: no connection is held while whoever reads them is slow.
BARS = 20_000
HEADER = "Date,Symbol,Open,High,Low,Close,Volume"
ADJUSTED = ",Adj Close"
_FIND = """
SELECT id, EXISTS (SELECT FROM candle WHERE series_id = id AND adj_close IS NOT NULL) AS adjusted
FROM series WHERE symbol = %(symbol)s AND interval = %(interval)s
"""
#: Each piece begins where the index has the last bar. Of a series that was just loaded Postgres has no figures, and
#: would sort all that is left of it for each piece: seven times as long for a million bars.
_BY_INDEX = "SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off"
_DAY, _TIME = "YYYY-MM-DD", 'YYYY-MM-DD"T"HH24:MI:SS"Z"'
_COPY = """
COPY (
  SELECT to_char(ts AT TIME ZONE 'UTC', {form}), {symbol}::text, o, h, l, c, nullif(v, 'NaN') {adjusted}
  FROM candle WHERE series_id = {id} AND ts > {after} ORDER BY ts LIMIT {most}
) TO STDOUT (FORMAT csv)
"""


class SeriesGone(Exception):  # noqa: N818 - an observation
    """The series was removed while it was read: what was read is not all of it."""


@dataclass(frozen=True, slots=True)
class Export:
    """One stored series, about to be read."""

    id: int
    symbol: str
    interval: str
    adjusted: bool


class CandleCsv:
    """Methods are safe from several threads; all raise ``DatabaseUnavailable``."""

    def __init__(self, database: Database, bars: int = BARS) -> None:
        self._database, self._bars = database, bars

    def find(self, symbol: str, interval: str) -> Export | None:
        """None where there is no such series."""
        row = self._database.row(_FIND, {"symbol": symbol, "interval": interval})
        return None if row is None else Export(row["id"], symbol, interval, row["adjusted"])

    def pieces(self, export: Export) -> Iterator[bytes]:
        """The header, then the bars in order of time. Raises ``SeriesGone`` rather than end early."""
        yield f"{HEADER}{ADJUSTED if export.adjusted else ''}\n".encode()
        after = "-infinity"
        while piece := self._piece(export, after):
            yield piece
            after = piece[piece.rstrip(b"\n").rfind(b"\n") + 1 :].split(b",", 1)[0].decode()
        if self._database.row("SELECT FROM series WHERE id = %(id)s", {"id": export.id}) is None:
            raise SeriesGone(f"The prices of {export.symbol} at {export.interval} were removed while they were read.")

    def _piece(self, export: Export, after: str) -> bytes:
        query = sql.SQL(_COPY).format(
            form=_DAY if export.interval == "1d" else _TIME,
            symbol=export.symbol,
            adjusted=sql.SQL(", coalesce(adj_close, c)" if export.adjusted else ""),
            id=export.id,
            after=sql.SQL("{}::timestamptz").format(after),
            most=self._bars,
        )
        with self._database.connection() as connection, connection.transaction():
            connection.execute(_BY_INDEX)
            with connection.cursor().copy(query) as copy:
                return b"".join(copy)
