"""Counts errors by fingerprint: in memory at once, in Postgres when it is there."""

import threading
import traceback
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog

from services.common.database import Database, DatabaseUnavailable, storable_text
from services.common.fingerprint import fingerprint
from services.common.logging import Redactor

log = structlog.get_logger(__name__)

KEPT_KINDS = 500
_LONGEST_MESSAGE = 2000

UPSERT = """
INSERT INTO api_error (fingerprint, type, message, location, traceback, count, first_seen, last_seen)
VALUES (%(fingerprint)s, %(type)s, %(message)s, %(where)s, %(traceback)s, %(count)s,
        %(first_seen)s, %(last_seen)s)
ON CONFLICT (fingerprint) DO UPDATE SET
  count = api_error.count + excluded.count, last_seen = greatest(api_error.last_seen, excluded.last_seen),
  message = excluded.message, traceback = excluded.traceback
"""

LATEST = """
SELECT fingerprint, type, message, location AS where, traceback, count, first_seen, last_seen
FROM api_error ORDER BY last_seen DESC LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class ErrorCount:
    """One kind of error and how often it was seen; ``where`` is the innermost frame."""

    fingerprint: str
    type: str
    message: str
    where: str
    traceback: str
    count: int
    first_seen: datetime
    last_seen: datetime


class ErrorTracker:
    """Safe to call from any thread. Recording never raises and never waits for Postgres."""

    def __init__(self, database: Database, redactor: Redactor) -> None:
        self._database = database
        self._redactor = redactor
        self._lock = threading.Lock()
        self._seen: dict[str, ErrorCount] = {}
        self._unstored: dict[str, ErrorCount] = {}

    def record(self, error: BaseException) -> str:
        """Count the error and give its fingerprint."""
        mark = fingerprint(error)
        now = datetime.now(UTC)
        text = self._text("".join(traceback.format_exception(error))[-8000:])
        message = self._text(str(error)[:_LONGEST_MESSAGE])
        once = ErrorCount(mark.value, mark.type, message, mark.where, text, 1, now, now)
        with self._lock:
            for counts in (self._seen, self._unstored):
                _add(counts, once)
        return mark.value

    def store(self) -> None:
        """Move what was counted since the last call to Postgres; keep it for the next call if that fails."""
        with self._lock:
            waiting, self._unstored = self._unstored, {}
        try:
            for fingerprint_value in list(waiting):
                self._database.execute(UPSERT, _row(waiting[fingerprint_value]))
                del waiting[fingerprint_value]
        except DatabaseUnavailable as error:
            with self._lock:
                for count in waiting.values():
                    _add(self._unstored, count)
            log.debug("errors kept in memory", reason=str(error))

    def latest(self, limit: int) -> list[ErrorCount]:
        """Most recent first: of all API processes from Postgres, of this one alone while Postgres is away."""
        self.store()
        try:
            return [ErrorCount(**row) for row in self._database.rows(LATEST, {"limit": limit})]
        except DatabaseUnavailable:
            with self._lock:
                counts = sorted(self._seen.values(), key=lambda count: count.last_seen, reverse=True)
            return counts[:limit]

    def _text(self, value: str) -> str:
        return storable_text(self._redactor.text(value))


def _add(counts: dict[str, ErrorCount], more: ErrorCount) -> None:
    known = counts.get(more.fingerprint)
    if known is None and len(counts) >= KEPT_KINDS:
        del counts[min(counts, key=lambda key: counts[key].last_seen)]
    if known is not None:
        more = replace(more, count=more.count + known.count, first_seen=known.first_seen)
    counts[more.fingerprint] = more


def _row(count: ErrorCount) -> dict[str, object]:
    return {name: getattr(count, name) for name in ErrorCount.__slots__}
