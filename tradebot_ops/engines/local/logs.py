"""Log lines of replicas, with the time each line says of itself."""

import json
import re
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tradebot_ops.engines.base import LogLine, LogQuery
from tradebot_ops.engines.local import tailing
from tradebot_ops.engines.local.records import Record

_KEYS = ("timestamp", "ts", "time", "at", "asctime")
#: ISO 8601 as Postgres, uvicorn and most others begin a line; and the form of Redis and Valkey.
_ISO = re.compile(r"\W?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:[.,](\d{1,6}))?\d* ?(Z|UTC|GMT|[+-]\d\d:?\d\d)?")
_REDIS = re.compile(r"\d+:[A-Z] (\d\d \w{3} \d{4} \d\d:\d\d:\d\d)\.(\d{3}) ")


def read(replicas: Sequence[tuple[Record, Path]], query: LogQuery) -> Iterator[LogLine]:
    """Lines of the chosen replicas, one replica after the other; then, with ``follow``, new ones as they come."""
    starts = [(record, path, tailing.position(path)) for record, path in replicas]
    for record, path, _ in starts:
        yield from _past(record, path, query)
    if query.follow:
        yield from _coming(starts)


def line_time(text: str) -> datetime | None:
    """The time a line tells: a JSON key, or an ISO or Redis time at its start; local times are taken as this host's."""
    if text.startswith("{"):
        return _json_time(text)
    if found := _ISO.match(text):
        return _iso(found[1], found[2], found[3])
    if found := _REDIS.match(text):
        at = datetime.strptime(f"{found[1]}.{found[2]}", "%d %b %Y %H:%M:%S.%f")  # noqa: DTZ007 - this host's time
        return at.astimezone(UTC)
    return None


def _past(record: Record, path: Path, query: LogQuery) -> Iterator[LogLine]:
    if query.since is not None:
        recent = _recent(record, path, query.since)
        yield from recent if query.tail is None else deque(recent, maxlen=query.tail)
        return
    texts = tailing.lines_since(path, None) if query.tail is None else tailing.last_lines(path, query.tail)
    for text in texts:
        yield _line(record, text)


def _recent(record: Record, path: Path, since: datetime) -> Iterator[LogLine]:
    """Lines at or after ``since``; one without a time belongs to the line before it."""
    last: datetime | None = None
    for text in tailing.lines_since(path, since):
        line = _line(record, text)
        last = line.at or last
        if last is None or last >= since:
            yield line


def _coming(starts: Sequence[tuple[Record, Path, tuple[int, int | None]]]) -> Iterator[LogLine]:
    followed = [
        (record, tailing.follow_lines(path, offset=offset, inode=inode)) for record, path, (offset, inode) in starts
    ]
    while True:
        quiet = True
        for record, lines in followed:
            while (text := next(lines)) is not None:
                quiet = False
                yield _line(record, text)
        if quiet:
            tailing.pause()


def _line(record: Record, text: str) -> LogLine:
    return LogLine(record.service, record.number, text, line_time(text))


def _json_time(text: str) -> datetime | None:
    try:
        content = json.loads(text)
    except ValueError:
        return None
    for key in _KEYS:
        value = content.get(key)
        if isinstance(value, str) and (found := _ISO.match(value)):
            return _iso(found[1], found[2], found[3])
        if isinstance(value, int | float) and value > 0:
            return datetime.fromtimestamp(value, UTC)
    return None


def _iso(seconds: str, fraction: str | None, zone: str | None) -> datetime | None:
    try:
        at = datetime.fromisoformat(f"{seconds}.{(fraction or '0').ljust(6, '0')}")
        if zone is None:
            return at.astimezone(UTC)
        offset = "+00:00" if zone in {"Z", "UTC", "GMT"} else zone
        return datetime.fromisoformat(f"{at.isoformat()}{offset}").astimezone(UTC)
    except ValueError:
        return None
