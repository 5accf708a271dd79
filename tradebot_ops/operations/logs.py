"""Log lines of services: chosen, parsed, filtered. Showing them is the renderer's."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tradebot_ops import units
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import LogLine, LogQuery
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.select import Chosen, refuse_unknown
from tradebot_ops.text import log_line
from tradebot_ops.text.log_line import LEVELS


@dataclass(frozen=True)
class Entry:
    """A log line; ``fields`` is its JSON object or its logfmt pairs, None for a line that is neither."""

    line: LogLine
    fields: dict[str, Any] | None

    @property
    def level(self) -> str:
        """One of ``LEVELS``, or empty."""
        return log_line.level(self.line.text, self.fields)


class Levels:
    """The level of each line. A traceback below an error line belongs to it, replica by replica; what else has no level
    of its own has none.
    """

    def __init__(self) -> None:
        self._above: dict[tuple[str, int], tuple[str, bool]] = {}

    def of(self, entry: Entry) -> str:
        """To be asked for every line in its order."""
        replica = entry.line.service, entry.line.number
        above, within = self._above.get(replica, ("", False))
        level, text = entry.level, entry.line.text
        goes_on = not level and bool(above) and (within or not text or log_line.begins_traceback(text))
        within = goes_on and (within or log_line.begins_traceback(text)) and not log_line.ends_traceback(text)
        self._above[replica] = (level or (above if goes_on else ""), within)
        return level or (above if goes_on else "")


def entries(ops: Ops, chosen: Chosen, query: LogQuery, level: str | None, grep: str | None) -> Iterator[Entry]:
    """Lines of the chosen replicas that match, oldest first; with ``follow`` in the order they arrive.

    Raises ``OpsError`` TB-0204 for a level or pattern that cannot be, TB-0212 for a replica that is not there.
    """
    least = _level(level)
    pattern = _pattern(grep)
    if chosen.numbers:
        refuse_unknown(chosen, ops.engine.list())
    lines = ops.engine.logs(replace(query, services=chosen.services))
    levels = Levels()
    for line in lines if query.follow else sorted(lines, key=_when):
        if not chosen.holds(line):
            continue
        entry = Entry(line, log_line.fields(line.text))
        reached = levels.of(entry)
        if pattern is not None and not pattern.search(line.text):
            continue
        if least is not None and LEVELS.index(reached or "info") < least:
            continue
        yield entry


def _when(line: LogLine) -> datetime:
    return line.at or datetime.min.replace(tzinfo=UTC)


def _level(text: str | None) -> int | None:
    if text is None:
        return None
    level = log_line.level("", {"level": text})
    if not level:
        raise OpsError(f"'{text}' is not a log level.", code="TB-0204", hint=f"Use one of: {', '.join(LEVELS)}.")
    return LEVELS.index(level)


def _pattern(text: str | None) -> re.Pattern[str] | None:
    try:
        return re.compile(text) if text else None
    except re.error as error:
        raise OpsError(
            f"'{text}' is not a regular expression: {error}.",
            code="TB-0204",
            hint="Escape special signs: --grep 'a\\.b'",
        ) from None


def unreadable(ops: Ops, chosen: Chosen) -> tuple[str, ...]:
    """Sentences about services whose engine keeps no log."""
    if ops.engine.name == "local":
        return ()
    silent = [
        name for name in chosen.services or ops.stack.services if ops.stack.services[name].logging.driver == "none"
    ]
    return tuple(f"{name} keeps no log: its logging.driver is none." for name in silent)


def since(text: str | None, now: datetime) -> datetime | None:
    """``15m``, ``1h30m`` before now, or an ISO time (UTC unless it says otherwise). Raises ``OpsError`` TB-0204."""
    if text is None:
        return None
    try:
        at = _before(text, now) or datetime.fromisoformat(text)
    except (ValueError, OverflowError):  # the latter: before the year 1
        raise OpsError(
            f"'{text}' is not a time.", code="TB-0204", hint="Use 15m, 2h, 1d or 2026-11-22T08:00."
        ) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def seconds_ago(text: str, now: datetime) -> float:
    """Seconds between what ``since`` reads and now. Raises ``OpsError`` TB-0204 as it does, and for what is to come."""
    at = since(text, now)
    if at is None or at >= now:
        raise OpsError(f"'{text}' is not in the past.", code="TB-0204", hint="Use 15m, 2h, 1d or 2026-11-22T08:00.")
    return (now - at).total_seconds()


def _before(text: str, now: datetime) -> datetime | None:
    try:
        ago = units.seconds(text, units.TYPED)
    except ValueError:
        return None
    return now - timedelta(seconds=ago)
