"""One page of an exchange's bars: typed, put in order, and judged as rows of a file are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from services.jobs.exchange.client import Row
from services.jobs.market import quality
from services.jobs.market.intervals import SECONDS, Interval
from services.jobs.market.quality import Checked, Flag
from services.jobs.market.source import Piece
from services.jobs.market.wording import several

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

VALUES = ("open", "high", "low", "close", "volume")
COLUMNS = {"day": "time", **{name: name for name in VALUES}}


@dataclass(frozen=True)
class Asked:
    """Which bars a page was asked for: of ``series``, from second ``since`` on; ``after`` is the newest one known.

    ``anew``: that one is to be stored again, for it is from another download, which may have seen it too early.
    """

    series: str
    interval: Interval
    since: int
    after: int | None = None
    anew: bool = False

    @property
    def step(self) -> int:
        return SECONDS[self.interval]


@dataclass(frozen=True)
class Page:
    """A judged page: its rows for ``rejects``, its sound bars, and how far it goes.

    ``newest`` is the second at which its last closed bar begins, sound or not; None without one.
    """

    piece: Piece
    checked: Checked
    newest: int | None


def judged(rows: Sequence[Row], asked: Asked, now: datetime) -> Page:
    """The page without bars that are not closed yet, and without the one that is known already.

    Bars that nobody asked for, or that begin beside the interval's times, are rejected; others as in files.
    """
    import numpy as np

    # What has no time is nobody's bar; it is rejected for that.
    began = np.array([_number(row[0]) / 1000 for row in rows])
    closed = np.isnan(began) | (began + asked.step <= now.timestamp())
    known = np.full(len(rows), False) if asked.anew else began == asked.after
    frame, cells = _frame(rows, began, asked)
    chosen = np.flatnonzero(closed & ~known)
    frame, cells = frame.iloc[chosen].reset_index(drop=True), cells.iloc[chosen].reset_index(drop=True)
    checked = _checked(frame, began[chosen], asked, now)
    moments = began[closed & (began >= asked.since)]
    piece = Piece(frame, cells, COLUMNS, asked.interval, 0.0)
    return Page(piece, checked, int(moments.max()) if len(moments) else None)


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _frame(rows: Sequence[Row], began: "NDArray[np.float64]", asked: Asked) -> "tuple[pd.DataFrame, pd.DataFrame]":
    """The rows as ``cells.typed`` gives those of a file, and as text; ``line`` is the place within the page."""
    import numpy as np
    import pandas as pd

    whole = np.where(np.isnan(began), np.iinfo(np.int64).min, np.nan_to_num(began)).astype("int64")
    day = whole.astype("datetime64[s]")
    frame = pd.DataFrame({"symbol": pd.Categorical([asked.series] * len(rows), categories=[asked.series])})
    frame["written"] = frame["instant"] = frame["day"] = day
    for at, name in enumerate(VALUES, start=1):
        frame[name] = np.array([_number(row[at]) for row in rows], dtype=np.float64)
    frame["line"] = np.arange(1, len(rows) + 1)
    moments = frame["day"].dt.strftime("%Y-%m-%dT%H:%M:%SZ").fillna("")
    written = ((moment, *row[1:6]) for moment, row in zip(moments, rows, strict=True))
    texts = [["" if value is None else str(value) for value in each] for each in written]
    return frame, pd.DataFrame(texts, columns=list(COLUMNS.values()), dtype="object")


def _checked(frame: "pd.DataFrame", began: "NDArray[np.float64]", asked: Asked, now: datetime) -> Checked:
    import numpy as np
    import pandas as pd

    kinds = np.full(len(frame), "", dtype=object)
    kinds[began < asked.since] = quality.NOT_ASKED
    kinds[(kinds == "") & ~np.isnan(began) & (began % asked.step != 0)] = quality.OFF_STEP
    ours = frame[kinds != ""].assign(kind=kinds[kinds != ""])
    found = quality.check(frame[kinds == ""], now, asked.interval)
    flags = (flag for flag in found.flags if flag.kind != "gap")
    gaps = (*_gaps(found.good, asked), *_disorder(began, asked))
    return replace(found, bad=pd.concat([ours, found.bad]).sort_index(), flags=(*flags, *gaps))


def _gaps(good: "pd.DataFrame", asked: Asked) -> list[Flag]:
    """Exchanges never close: each bar that is missing between two others, or after the one known, is a gap."""
    import numpy as np

    seconds = good["day"].to_numpy().astype("datetime64[s]").astype("int64")
    if asked.after is not None:
        seconds = np.concatenate(([asked.after], seconds))
    missing = np.diff(seconds) // asked.step - 1
    return [
        Flag(
            asked.series,
            str(np.datetime64(int(seconds[at]) + asked.step, "s")),
            "gap",
            f"{several(missing[at], 'bar')} missing",
        )
        for at in np.flatnonzero(missing > 0)
    ]


def _disorder(began: "NDArray[np.float64]", asked: Asked) -> list[Flag]:
    """Bars are put in order; that they were not is shown. Newest first is an order, too."""
    import numpy as np

    steps = np.diff(began)
    if not ((steps > 0).any() and (steps < 0).any()):
        return []
    least = min(int((steps < 0).sum()), int((steps > 0).sum()))
    first = np.datetime64(int(np.nanmin(began)), "s")
    return [Flag(asked.series, str(first), "disorder", f"{several(least, 'bar')} out of order")]
