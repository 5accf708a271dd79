"""Sums of a load of candles, from a file or an exchange, and what its job shows of them."""

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from services.jobs.market import quality, source, store
from services.jobs.market.intervals import Interval
from services.jobs.market.rejects import Rejects

if TYPE_CHECKING:
    import pandas as pd

    from services.jobs.market.quality import Flag

# What a result shows of each kind of flag and rejection, and of the symbols; the counts are always complete.
EXAMPLES = 20
SYMBOLS = 1_000


@dataclass
class Loaded:
    """Sums of a load so far; ``spans`` has rows, first and last bar of each symbol."""

    interval: Interval | None = None
    read: int = 0
    written: store.Written = field(default_factory=store.Written)
    rejects: Rejects = field(default_factory=Rejects)
    flagged: Counter[str] = field(default_factory=Counter)
    flags: "list[Flag]" = field(default_factory=list)
    spans: dict[str, tuple[int, Any, Any]] = field(default_factory=dict)

    def add(self, piece: source.Piece, checked: quality.Checked) -> None:
        self.interval = piece.interval
        self.read += len(piece.frame)
        self.rejects.add(checked.bad, piece)
        self.flagged.update(flag.kind for flag in checked.flags)
        self.flags += checked.flags[: EXAMPLES - len(self.flags)]
        grouped = checked.good.groupby("symbol", observed=True)["day"].agg(["size", "min", "max"])
        for symbol, rows, first, last in grouped.itertuples():
            count, since, until = self.spans.get(str(symbol), (0, first, last))
            self.spans[str(symbol)] = (count + rows, min(since, first), max(until, last))

    def result(self, seconds: float) -> dict[str, Any]:
        """As a job returns it; ``seconds`` is how long it took."""
        rejects, written = self.rejects, self.written
        return {
            "interval": self.interval,
            "read": self.read,
            "inserted": written.inserted,
            "updated": written.updated,
            "unchanged": written.unchanged,
            "rejected": rejects.counts.total(),
            "rejected_by_reason": dict(rejects.by_kind()),
            "rejected_examples": [
                {"line": each.line, "symbol": each.symbol, "day": each.day, "reason": each.reason}
                for each in rejects.rows[:EXAMPLES]
            ],
            "flagged": dict(self.flagged),
            "flags": [vars(flag) for flag in self.flags],
            "symbols": [
                {"symbol": symbol, "rows": rows, "first": _shown(first), "last": _shown(last)}
                for symbol, (rows, first, last) in sorted(self.spans.items())[:SYMBOLS]
            ],
            "seconds": round(seconds, 3),
            "rows_per_second": round(self.read / seconds),
        }


def _shown(moment: "pd.Timestamp") -> str:
    """A day, or the time of a bar within the day."""
    return str(moment.date()) if moment == moment.normalize() else moment.isoformat()
