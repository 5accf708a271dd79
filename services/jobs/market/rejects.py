"""Rows that were rejected: kept with their cells, their line and the reason, a limited number of each kind."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.types.json import Jsonb

from services.common.database import storable_text
from services.jobs.market.quality import COLUMNS_OF_KIND

if TYPE_CHECKING:
    import pandas as pd

    from services.jobs.market.source import Piece

#: Of each kind of reason in one file so many rows are kept, the first ones; all are counted.
KEPT = 1_000
UNREADABLE_SYMBOL = "(unreadable)"
LONGEST_CELL = 200

STORE = """
WITH new AS (
  SELECT series_id, ts, row, reason, kind, line, row_number() OVER (PARTITION BY kind ORDER BY line) AS number
  FROM rejected_now AS now
  WHERE NOT EXISTS (
    SELECT FROM candle_rejected AS known
    WHERE known.file = %(file)s AND known.kind = now.kind AND known.line = now.line AND known.row = now.row
      AND known.series_id = now.series_id)
), room AS (
  SELECT kind, %(kept)s - count(*) AS rows FROM candle_rejected WHERE file = %(file)s GROUP BY kind
)
INSERT INTO candle_rejected (series_id, ts, row, reason, kind, file, line)
SELECT series_id, ts, row, reason, new.kind, %(file)s, line
FROM new LEFT JOIN room USING (kind) WHERE number <= coalesce(room.rows, %(kept)s) ORDER BY line
"""
COUNT = """
INSERT INTO candle_rejected_count (series_id, file, kind, rows)
SELECT * FROM unnest(%s::integer[], %s::text[], %s::text[], %s::bigint[])
ON CONFLICT (series_id, file, kind) DO UPDATE SET rows = EXCLUDED.rows, counted_at = now()
"""


@dataclass(frozen=True)
class Reject:
    """One row: its cells under the names of its file, and why it was not taken."""

    symbol: str
    day: str | None
    line: int
    kind: str
    reason: str
    cells: dict[str, str]


@dataclass
class Rejects:
    """Rejected rows of one file: ``rows`` are those that are kept, ``counts`` all, by symbol and kind."""

    rows: list[Reject] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def by_kind(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for (_, kind), count in self.counts.items():
            found[kind] += count
        return found

    def symbols(self) -> set[str]:
        return {symbol for symbol, _ in self.counts}

    def add(self, bad: "pd.DataFrame", piece: "Piece") -> None:
        """The rejected rows (``quality.Checked.bad``) of one piece."""
        known = self.by_kind()
        symbols = bad["symbol"].astype("str").replace({"": UNREADABLE_SYMBOL})
        for (symbol, kind), count in bad.groupby([symbols, "kind"], observed=True).size().items():
            self.counts[symbol, kind] += int(count)
        number = bad.groupby("kind", observed=True).cumcount().to_numpy()
        already = bad["kind"].map(known).fillna(0).to_numpy()
        kept = bad[number + already < KEPT]
        texts = piece.cells.iloc[kept.index].to_dict("records")
        for row, raw in zip(kept.to_dict("records"), texts, strict=True):
            cells = {str(name): _storable(text) for name, text in raw.items()}
            about = {name: cells.get(column, "") for name, column in piece.columns.items()}
            self.rows.append(_reject(row, cells, about))

    def store(self, connection: "psycopg.Connection[Any]", file: str, ids: dict[str, int]) -> None:
        """Keep these rows, each once however often its file is loaded, and the counts of this time."""
        if not self.counts:
            return
        connection.execute(
            "CREATE TEMP TABLE rejected_now ON COMMIT DROP AS"
            " SELECT series_id, ts, row, reason, kind, line FROM candle_rejected WITH NO DATA"
        )
        copying = "COPY rejected_now (series_id, ts, row, reason, kind, line) FROM STDIN"
        with connection.cursor().copy(copying) as copy:
            for row in self._packed(ids):
                copy.write_row(row)
        connection.execute("ANALYZE rejected_now")
        connection.execute(STORE, {"file": file, "kept": KEPT})
        connection.execute("DROP TABLE rejected_now")
        keys = list(self.counts)
        connection.execute(
            COUNT,
            (
                [ids[symbol] for symbol, _ in keys],
                [file] * len(keys),
                [kind for _, kind in keys],
                [self.counts[key] for key in keys],
            ),
        )

    def _packed(self, ids: dict[str, int]) -> Iterator[tuple[Any, ...]]:
        for row in self.rows:
            ts = row.day and f"{row.day}Z"
            yield ids[row.symbol], ts, Jsonb(row.cells), row.reason, row.kind, row.line


def _reject(row: dict[str, Any], cells: dict[str, str], about: dict[str, str]) -> Reject:
    """``about`` are the cells under our names, to be named in the reason."""
    day = None if str(row["day"]) == "NaT" else str(row["day"])[:19]
    symbol, kind = str(row["symbol"]) or UNREADABLE_SYMBOL, str(row["kind"])
    values = (f"{name} {about.get(name) or 'empty'}" for name in COLUMNS_OF_KIND[kind])
    return Reject(symbol, day, int(row["line"]), kind, f"{kind}: {', '.join(values)}", cells)


def _storable(text: object) -> str:
    return storable_text(str(text))[:LONGEST_CELL]
