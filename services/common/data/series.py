"""The series of candles that are stored: how far each goes, and how one is removed."""

from dataclasses import dataclass
from datetime import datetime

from services.common.database import Database

MOST = 1_000
#: A long series takes a while to delete; more than this is no answer to a request.
REMOVAL_S = 120.0
_LIST = """
SELECT s.symbol, s.interval, (SELECT min(c.ts) FROM candle AS c WHERE c.series_id = s.id) AS first,
  (SELECT max(c.ts) FROM candle AS c WHERE c.series_id = s.id) AS last,
  (SELECT coalesce(sum(r.rows), 0)::bigint FROM candle_rejected_count AS r WHERE r.series_id = s.id) AS rejected
FROM series AS s ORDER BY s.symbol, s.interval LIMIT %(most)s
"""


class SeriesBusy(Exception):  # noqa: N818 - an observation
    """A job loads candles of this series right now."""


@dataclass(frozen=True, slots=True)
class SeriesSpan:
    """One symbol at one interval: its first and last candle, None without any, and how many rows were rejected."""

    symbol: str
    interval: str
    first: datetime | None
    last: datetime | None
    rejected: int


class Series:
    """The stored series. Methods are safe from several threads; all raise ``DatabaseUnavailable``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, most: int = MOST) -> list[SeriesSpan]:
        return [SeriesSpan(**row) for row in self._database.rows(_LIST, {"most": most})]

    def remove(self, symbol: str, interval: str) -> int | None:
        """Remove a series with its candles and rejected rows; how many candles it had, None where there is no such.

        Raises ``SeriesBusy`` while a job loads it.
        """
        with self._database.connection(REMOVAL_S) as connection, connection.transaction():
            connection.execute(f"SET LOCAL statement_timeout = {REMOVAL_S * 1000:.0f}")
            query = "SELECT id FROM series WHERE symbol = %s AND interval = %s"
            if (row := connection.execute(query, [symbol, interval]).fetchone()) is None:
                return None
            lock = "SELECT FROM series WHERE id = %s FOR UPDATE SKIP LOCKED"
            if connection.execute(lock, [row["id"]]).fetchone() is None:
                raise SeriesBusy
            candles = connection.execute("DELETE FROM candle WHERE series_id = %s", [row["id"]]).rowcount
            connection.execute("DELETE FROM series WHERE id = %s", [row["id"]])
            return candles
