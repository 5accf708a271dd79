"""A download, page by page: each is asked for with patience, judged, and stored before the next one.

Every page begins with the newest bar that is known. So none is empty, and one that is has failed; the newest bar is
stored again where the exchange has corrected it; and a download that was interrupted goes on where it was.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
import psycopg.rows

from services.common.jobtypes import BreakerPolicy, JobContext, JobFailure
from services.jobs.exchange.clock import Clock
from services.jobs.exchange.page import Asked, Page, judged
from services.jobs.exchange.patience import LimitedError, NoBarsError, UnwellError, asked_again
from services.jobs.market import store
from services.jobs.market.intervals import SECONDS, Interval
from services.jobs.market.loaded import Loaded
from services.jobs.market.quality import Flag
from services.jobs.market.wording import several

if TYPE_CHECKING:
    from services.jobs.exchange.client import Exchange, Row

#: Of a series that nobody has yet, unless a day is named.
FIRST_BARS = 1_000
#: Each failure has been asked again until the deadline of ``patience``.
POLICY = BreakerPolicy(threshold=3)
FAILURES = (UnwellError, LimitedError)

_SPAN = """
SELECT extract(epoch FROM min(ts))::bigint, extract(epoch FROM max(ts))::bigint
FROM candle JOIN series ON series.id = series_id WHERE symbol = %s AND interval = %s
"""


@dataclass(frozen=True)
class Wanted:
    """Bars of ``symbol``, as the exchange calls it, stored as ``series``; from the second ``since`` on."""

    symbol: str
    series: str
    interval: Interval
    since: int | None = None

    @property
    def step(self) -> int:
        return SECONDS[self.interval]


def breaker_of(exchange: str) -> str:
    """The name of the circuit breaker around an exchange, and of its budget."""
    return f"exchange-{exchange}"


class Download:
    """``pages`` counts those that came; ``loaded`` has the sums of what is stored."""

    def __init__(self, ctx: JobContext, exchange: "Exchange", wanted: Wanted, clock: Clock) -> None:
        self._ctx, self._exchange, self._wanted, self._clock = ctx, exchange, wanted, clock
        self.loaded = Loaded(wanted.interval)
        self.pages = 0
        self._label = ""

    def run(self) -> None:
        """Raises ``BreakerOpen``, ``UnwellError``, or ``JobFailure`` where the exchange has no such bars."""
        wanted, now = self._wanted, int(self._clock.now().timestamp())
        first, last = _span(self._ctx.store, wanted)
        if last is None or first is None:
            newest = now - now % wanted.step - FIRST_BARS * wanted.step
            begin = newest if wanted.since is None else wanted.since
            self._from(Asked(wanted.series, wanted.interval, self._named_by(begin)))
            return
        older = wanted.since if wanted.since is not None and wanted.since < first else None
        self._named_by(last if older is None else older)
        if older is not None:
            # As a whole or not at all: of a part, nobody would see the hole behind it.
            with self._ctx.store.transaction():
                self._from(Asked(wanted.series, wanted.interval, older), until=first)
        self._from(Asked(wanted.series, wanted.interval, last, last, anew=True))

    def _named_by(self, begin: int) -> int:
        """Under this name its rejected rows are kept, as those of a file are."""
        moment = datetime.fromtimestamp(begin, UTC).strftime("%Y-%m-%dT%H:%MZ")
        self._label = f"{self._exchange.name} {self._wanted.symbol} {self._wanted.interval} from {moment}"
        return begin

    def _from(self, asked: Asked, until: int | None = None) -> None:
        """Up to the newest bar that is closed, or those before ``until``; of these there may be none."""
        begin = asked.since
        while True:
            now = self._clock.now()
            page = judged(self._page(asked), asked, now)
            if until is not None and asked.after is None and _begins(page) >= until:
                return
            self._store(page)
            reached = asked.since if page.newest is None else page.newest
            end = now.timestamp() if until is None else until
            self._progress(begin, reached, end)
            if reached + 2 * self._wanted.step > end or (asked.after is not None and reached <= asked.after):
                break
            asked = Asked(asked.series, asked.interval, reached, reached)
        if until is None:
            self._flag_what_is_missing(reached, now)

    def _page(self, asked: Asked) -> "list[Row]":
        try:
            with self._ctx.breaker(breaker_of(self._exchange.name), FAILURES, POLICY):
                rows = asked_again(lambda: self._bars(asked), self._clock, self._ctx.check_cancelled)
        except NoBarsError as error:
            if asked.after is None:
                raise JobFailure(str(error), "Name a later day: since=2024-01-01.") from error
            raise
        self.pages += 1
        return rows

    def _bars(self, asked: Asked) -> "list[Row]":
        # What it trades is asked for once.
        self._exchange.check(self._wanted.symbol, self._wanted.interval)
        rows = self._exchange.page(self._wanted.symbol, self._wanted.interval, asked.since * 1000)
        if not rows:
            moment = datetime.fromtimestamp(asked.since, UTC)
            raise NoBarsError(f"{self._exchange.name} has no bars of {self._wanted.symbol} from {moment:%Y-%m-%d} on.")
        return rows

    def _store(self, page: Page) -> None:
        self.loaded.add(page.piece, page.checked)
        connection = self._ctx.store
        with connection.transaction():
            ids = store.series_ids(connection, [self._wanted.series], self._wanted.interval)
            if len(page.checked.good):
                self.loaded.written += store.Upsert(connection).add(page.checked.good, ids)
            rejected = store.series_ids(connection, sorted(self.loaded.rejects.symbols()), self._wanted.interval)
            self.loaded.rejects.store(connection, self._label, rejected)

    def _progress(self, begin: int, reached: int, end: float) -> None:
        moment = datetime.fromtimestamp(reached, UTC)
        fraction = min((reached - begin) / max(end - begin, 1), 1.0)
        self._ctx.progress(fraction, f"{several(self.loaded.read, 'bar')}, until {moment:%Y-%m-%d %H:%M}")

    def _flag_what_is_missing(self, reached: int, now: datetime) -> None:
        missing = int(now.timestamp() - reached) // self._wanted.step - 1
        if missing > 1:
            moment = datetime.fromtimestamp(reached + self._wanted.step, UTC).strftime("%Y-%m-%dT%H:%M:%S")
            flag = Flag(self._wanted.series, moment, "gap", f"{missing} bars missing until now")
            self.loaded.flagged[flag.kind] += 1
            self.loaded.flags.append(flag)


def _begins(page: Page) -> float:
    """The second at which the first sound bar of a page begins."""
    return float(page.checked.good["day"].min().timestamp()) if len(page.checked.good) else float("-inf")


def _span(connection: "psycopg.Connection[Any]", wanted: Wanted) -> tuple[int | None, int | None]:
    """The seconds of the first and the last bar that are stored."""
    cursor = connection.cursor(row_factory=psycopg.rows.tuple_row)
    first, last = cursor.execute(_SPAN, [wanted.series, wanted.interval]).fetchone() or (None, None)
    return first, last
