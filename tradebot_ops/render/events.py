"""Events as lines: for people, or NDJSON with ``--json``."""

from typing import TextIO

from rich.text import Text

from tradebot_ops.engines.base import Event
from tradebot_ops.render import json_
from tradebot_ops.render.table import console

_BAD = {"die", "oom", "kill", "failed"}


class EventWriter:
    """Writes events to one stream, each at once."""

    def __init__(self, stream: TextIO, color: bool | None, *, ndjson: bool) -> None:
        self._stream = stream
        self._ndjson = ndjson
        self._console = console(stream, color)

    def write(self, event: Event) -> None:
        if self._ndjson:
            json_.write_line(document(event), self._stream)
        else:
            self._console.print(line(event), soft_wrap=True)
            self._stream.flush()


def document(event: Event) -> dict[str, object]:
    return {
        "at": event.at.isoformat(),
        "service": event.service,
        "number": event.number,
        "action": event.action,
        "exit_code": event.exit_code,
    }


def line(event: Event) -> Text:
    at = event.at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    code = "" if event.exit_code is None else f" (exit code {event.exit_code})"
    bad = event.action in _BAD and event.exit_code != 0
    return Text.assemble((at, "dim"), f"  {event.label:18}  ", (event.action, "red" if bad else ""), code)
