"""The last log lines of every replica, bounded in lines and bytes, with the JSON object that a line holds."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import LogLine, LogQuery
from tradebot_ops.facts.fact import fact
from tradebot_ops.text.log_line import json_object

#: What is kept of each replica: its last lines, and no more text than that, in characters.
LINES = 1000
MOST = 2 * 1024**2


@dataclass(frozen=True)
class Entry:
    """A line as it was written, and its JSON object; None where it holds none. ``cut``: it was longer than is kept."""

    line: LogLine
    fields: Mapping[str, Any] | None
    cut: bool = False

    @property
    def text(self) -> str:
        return self.line.text


@fact(seconds=15)
def recent(ops: Ops) -> Mapping[str, tuple[Entry, ...]]:
    """By replica, such as ``worker-2``, the oldest line first; a replica that wrote nothing is not in it."""
    return collected(ops.engine.logs(LogQuery(tail=LINES)))


def collected(lines: Iterable[LogLine], most: int = MOST) -> Mapping[str, tuple[Entry, ...]]:
    """Lines that are kept of each replica; the oldest lines go first where they are too long together."""
    kept: dict[str, _Last] = {}
    for line in lines:
        kept.setdefault(line.label, _Last(most)).add(line)
    return {label: tuple(map(_entry, last.lines, last.cuts)) for label, last in kept.items()}


def since(entries: Sequence[Entry], started: datetime | None) -> Sequence[Entry]:
    """Without those of an earlier life. A line that is not JSON has no time of its own: its place decides."""
    if started is None:
        return entries
    times = [entry.line.at for entry in entries]
    ours = next((place for place, at in enumerate(times) if at and at >= started), None)
    theirs = max((place for place, at in enumerate(times) if at and at < started), default=-1)
    return entries[theirs + 1 if ours is None else ours :]


class _Last:
    """The last lines of one replica."""

    def __init__(self, most: int) -> None:
        self.lines: deque[LogLine] = deque()
        self.cuts: deque[bool] = deque()
        self._most = most
        self._size = 0

    def add(self, line: LogLine) -> None:
        cut = len(line.text) > self._most
        if cut:
            line = LogLine(line.service, line.number, line.text[: self._most], line.at)
        self.lines.append(line)
        self.cuts.append(cut)
        self._size += len(line.text)
        while self._size > self._most or len(self.lines) > LINES:
            self._size -= len(self.lines.popleft().text)
            self.cuts.popleft()


def _entry(line: LogLine, cut: bool) -> Entry:
    return Entry(line, None if cut else json_object(line.text), cut)
