"""Log entries as lines: rendered for people on a terminal, raw when piped, NDJSON with ``--json``."""

import zlib
from typing import Any, TextIO

from rich.console import Console
from rich.text import Text

from tradebot_ops.operations.logs import Entry
from tradebot_ops.render import json_
from tradebot_ops.render.table import console

_LEVELS = {"debug": "dim", "info": "", "warning": "yellow", "error": "red", "critical": "bold red"}
_NAMES = ("cyan", "magenta", "blue", "green", "bright_cyan", "bright_magenta")
#: Shown at the head of a line, or of use to machines only; ``--raw`` and ``--json`` show all.
_LEFT_OUT = {"timestamp", "level", "event", "logger", "trace_id", "request_id", "client"}


class LogWriter:
    """Writes entries to one stream in one form."""

    def __init__(self, stream: TextIO, color: bool | None, *, ndjson: bool, raw: bool) -> None:
        self._stream = stream
        self._ndjson = ndjson
        self._console: Console | None = None if raw or (not stream.isatty() and not color) else console(stream, color)

    def write(self, entry: Entry) -> None:
        if self._ndjson:
            json_.write_line(_document(entry), self._stream)
        elif self._console is None:
            self._stream.write(entry.line.text + "\n")
            self._stream.flush()
        else:
            self._console.print(_for_people(entry), soft_wrap=True)


def _document(entry: Entry) -> dict[str, Any]:
    line = entry.line
    at = line.at.isoformat() if line.at else None
    return {
        "service": line.service,
        "number": line.number,
        "at": at,
        "text": line.text,
        "fields": entry.fields,
    }


def _for_people(entry: Entry) -> Text:
    name = entry.line.label
    style = _NAMES[zlib.crc32(name.encode()) % len(_NAMES)]
    text = Text.assemble((f"{name:12}", style), " ")
    fields = entry.fields
    if fields is None:
        return text.append(entry.line.text)
    at = str(fields.get("timestamp", ""))[11:19]
    text.append(f"{at} ", style="dim")
    text.append(f"{entry.level:8}", style=_LEVELS.get(entry.level, ""))
    text.append(str(fields.get("event", "")))
    for key, value in fields.items():
        if key not in _LEFT_OUT:
            text.append(f" {key}=", style="dim").append(str(value))
    return text
