"""Log lines of replicas, with the time each line says of itself."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tradebot_ops.engines.base import LogLine, LogQuery
from tradebot_ops.engines.local.observing import tailing
from tradebot_ops.engines.local.observing.tailing import Position
from tradebot_ops.engines.local.records import Record
from tradebot_ops.text import log_line

Source = tuple[Record, Path]

#: Our services end a line with its time. What stands before the last brace is the outermost object's; parsing the whole
#: line takes five times as long.
_LAST, _ENDING, _LONGEST = ' "timestamp": "', '"}', 60


def read(find: Callable[[], Sequence[Source]], query: LogQuery) -> Iterator[LogLine]:
    """Lines of the chosen replicas, one replica after the other; then, with ``follow``, new ones as they come.

    ``find`` is asked again while following, so that replicas started meanwhile are heard, too. A line without a
    time of its own has that of the line before it.
    """
    starts = {path: (record, tailing.position(path)) for record, path in find()}
    for path, (record, end) in starts.items():
        yield from _past(record, path, query, end)
    if query.follow:
        yield from _coming(find, starts)


def line_time(text: str) -> datetime | None:
    """The time in a line: a JSON key, one of logfmt, or an ISO or Redis time at its start."""
    if not text.startswith("{"):
        return log_line.quick_time(text)
    return _last_time(text) or log_line.time(text, log_line.fields(text) or {})


def _past(record: Record, path: Path, query: LogQuery, end: Position) -> Iterator[LogLine]:
    """A tail is read from the end, however long the log is."""
    if query.tail is None:
        yield from _recent(_dated(record, tailing.lines_since(path, query.since, end=end)), query.since)
        return
    lines = _dated(record, tailing.last_lines(path, query.tail, end=end))
    yield from lines if query.since is None else _recent(_known(lines), query.since)


def _recent(lines: Iterable[LogLine], since: datetime | None) -> Iterator[LogLine]:
    return (line for line in lines if since is None or line.at is None or line.at >= since)


def _known(lines: Iterator[LogLine]) -> Iterator[LogLine]:
    """The lines before the first with a time get that time: the one before them, which gave theirs, was not read."""
    undated: list[LogLine] = []
    for line in lines:
        if line.at is not None:
            yield from (replace(each, at=line.at) for each in undated)
            undated.clear()
            yield line
            break
        undated.append(line)
    yield from undated
    yield from lines


def _coming(find: Callable[[], Sequence[Source]], starts: Mapping[Path, tuple[Record, Position]]) -> Iterator[LogLine]:
    followed = {
        path: (record, tailing.follow_lines(path, offset=size, inode=inode))
        for path, (record, (size, inode)) in starts.items()
    }
    while True:
        for record, lines in tuple(followed.values()):
            yield from _dated(record, _present(lines))
        tailing.pause()
        for record, path in find():
            if path not in followed:
                followed[path] = (record, tailing.follow_lines(path))


def _present(lines: Iterator[str | None]) -> Iterator[str]:
    """Lines that are there now: up to the first ``None``."""
    while (text := next(lines)) is not None:
        yield text


def _dated(record: Record, texts: Iterable[str]) -> Iterator[LogLine]:
    at: datetime | None = None
    for text in texts:
        at = line_time(text) or at
        yield LogLine(record.service, record.number, text, at)


def _last_time(text: str) -> datetime | None:
    place = text.rfind(_LAST, max(len(text) - _LONGEST, 0))
    if place < 0 or not text.endswith(_ENDING):
        return None
    try:
        return datetime.fromisoformat(text[place + len(_LAST) : -len(_ENDING)]).astimezone(UTC)
    except ValueError:
        return None
