"""Log entries as lines: rendered for people on a terminal, as written when piped, NDJSON with ``--json``."""

import zlib
from typing import Any, TextIO

from rich.console import Console
from rich.text import Text

from tradebot_ops.engines.base import LogLine
from tradebot_ops.operations.logs import Entry
from tradebot_ops.render import json_
from tradebot_ops.render.table import console
from tradebot_ops.text import log_line
from tradebot_ops.text.log_line import LEVEL_KEYS, MESSAGE_KEYS, TIME_KEYS
from tradebot_ops.text.visible import visible

_LEVELS = {"debug": "dim", "info": "", "warning": "yellow", "error": "red", "critical": "bold red"}
#: Width of the replica's name, so that lines begin below one another.
_NAME = 12
_NAMES = ("cyan", "magenta", "blue", "green", "bright_cyan", "bright_magenta")
#: Of use to machines only; ``--raw`` and ``--json`` show all.
_FOR_MACHINES = {"logger", "trace_id", "request_id", "client", "caller", "source", "pid", "hostname"}
_LEFT_OUT = {*LEVEL_KEYS, *TIME_KEYS, *_FOR_MACHINES}


class LogWriter:
    """Writes entries to one stream in one form. Nothing in a line reaches a terminal as a command to it."""

    def __init__(self, stream: TextIO, color: bool | None, *, ndjson: bool, raw: bool) -> None:
        self._stream = stream
        self._ndjson = ndjson
        self._raw = raw
        self._console: Console | None = None if raw or (not stream.isatty() and not color) else console(stream, color)

    def write(self, entry: Entry) -> None:
        if self._ndjson:
            json_.write_line(_document(entry), self._stream)
        elif self._console is not None:
            self._console.print(_for_people(entry), soft_wrap=True)
        else:
            self._stream.write(self._plain(entry.line) + "\n")
            self._stream.flush()

    def _plain(self, line: LogLine) -> str:
        """As it was written: with its replica in front unless ``raw``, and byte by byte only where no terminal is."""
        if self._raw:
            return visible(line.text) if self._stream.isatty() else line.text
        return f"{line.label:{_NAME}} | {visible(line.text)}"


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
    text = Text.assemble((f"{name:{_NAME}}", style), " ")
    fields, level = entry.fields, entry.level
    if fields is None:
        return text.append(visible(entry.line.text), style=_LEVELS.get(level, ""))
    if at := entry.line.at or log_line.time(entry.line.text, fields):
        text.append(f"{at.astimezone():%H:%M:%S} ", style="dim")
    text.append(f"{level:8} ", style=_LEVELS.get(level, ""))
    message = next((key for key in MESSAGE_KEYS if key in fields), "")
    text.append(visible(str(fields.get(message, ""))))
    for key, value in fields.items():
        if key not in _LEFT_OUT and key != message:
            text.append(f" {visible(key)}=", style="dim").append(visible(str(value)))
    return text
