"""The last lines of every service."""

from collections import deque

from tradebot_ops.context import Ops
from tradebot_ops.diagnostics.bundle.collector import Collector, Files
from tradebot_ops.engines.base import LogQuery

TAIL = 400
#: Characters kept of one service: whole lines go, the oldest first.
MOST = 2_000_000


class _Last:
    """The last lines of a service, within ``MOST``."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque()
        self._size = 0

    def add(self, line: str) -> None:
        self._lines.append(line)
        self._size += len(line) + 1
        while self._size > MOST and len(self._lines) > 1:
            self._size -= len(self._lines.popleft()) + 1

    def text(self) -> str:
        return "\n".join(self._lines) + "\n"


def collect(ops: Ops) -> Files:
    found: dict[str, _Last] = {}
    for line in ops.engine.logs(LogQuery(tail=TAIL)):
        found.setdefault(line.service, _Last()).add(f"{line.label} {line.text}")
    return {f"logs/{service}.log": last.text() for service, last in sorted(found.items())}


COLLECTOR = Collector("logs", collect, seconds=30)
