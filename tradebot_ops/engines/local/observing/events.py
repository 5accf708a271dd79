"""Events of the replicas, read from the supervisor's own log (its times are UTC)."""

import contextlib
import re
import signal
from collections.abc import Iterator
from datetime import UTC, datetime

from tradebot_ops.engines.base import Event
from tradebot_ops.engines.local.layout import Layout
from tradebot_ops.engines.local.observing.tailing import files, follow_lines, lines_since, pause, position

_LINE = re.compile(r"(\S+ \S+),(\d{3}) \w+ (.*)")
_SUBJECT = r"(?P<service>.+)-(?P<number>\d+)"
_SAYS = (
    ("start", re.compile(rf"spawned: '{_SUBJECT}' with pid \d+")),
    ("die", re.compile(rf"exited: {_SUBJECT} \((?P<how>.*?)(; .*)?\)")),
    ("stop", re.compile(rf"stopped: {_SUBJECT} \((?P<how>.*?)(; .*)?\)")),
    ("failed", re.compile(rf"gave up: {_SUBJECT} entered FATAL state")),
)
_SIGNALLED = 128


def events(layout: Layout, since: datetime | None, *, follow: bool) -> Iterator[Event]:
    """Starts, exits, stops and crash-loop verdicts, oldest first; with ``follow`` until the caller stops."""
    for line in _lines(layout, follow=follow):
        event = parse(line)
        if event is not None and (since is None or event.at >= since):
            yield event


def _lines(layout: Layout, *, follow: bool) -> Iterator[str]:
    size, inode = position(layout.history)
    yield from lines_since(layout.history, None)
    if follow:
        for line in follow_lines(layout.history, offset=size, inode=inode):
            if line is None:
                pause()
            else:
                yield line


def last_exit(layout: Layout, replica: str) -> int | None:
    """How a replica ended; a signal counts as 128 + its number, as in a shell.

    None when the supervisor did not see it end: it was killed itself while the replica ran.
    """
    says = [word.encode() for word in (f"exited: {replica} (", f"stopped: {replica} (", f"spawned: '{replica}' with")]
    for path in reversed(files(layout.history)):
        with contextlib.suppress(FileNotFoundError):
            content = path.read_bytes()  # the supervisor keeps it below a megabyte
            last = max(content.rfind(word) for word in says)
            if last >= 0:
                line = content[content.rfind(b"\n", 0, last) + 1 :].partition(b"\n")[0]
                event = parse(line.decode(errors="replace"))
                return event.exit_code if event else None
    return None


def parse(line: str) -> Event | None:
    """The event in a log line, if any."""
    found = _LINE.match(line)
    if found is None:
        return None
    for action, pattern in _SAYS:
        if groups := pattern.match(found[3]):
            at = datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC, microsecond=int(found[2]) * 1000)
            code = _exit_code(groups["how"]) if "how" in pattern.groupindex else None
            return Event(at, groups["service"], int(groups["number"]), action, code)
    return None


def _exit_code(how: str) -> int | None:
    if status := re.match(r"exit status (\d+)", how):
        return int(status[1])
    if killed := re.match(r"terminated by (SIG\w+)", how):
        return _SIGNALLED + int(getattr(signal, killed[1], 0))
    return None
