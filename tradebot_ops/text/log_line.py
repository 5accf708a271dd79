"""Log lines as the programs of a stack write them, JSON, logfmt or plain: their fields, level and time. Pure."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

Fields = Mapping[str, Any]

LEVELS = ("debug", "info", "warning", "error", "critical")
#: Other words for the same; pino and bunyan write numbers.
_SAME = {
    **{level: level for level in LEVELS},
    **dict.fromkeys(("trace", "verbose", "finest", "finer", "fine", "10", "20"), "debug"),
    **dict.fromkeys(("information", "notice", "log", "30"), "info"),
    **dict.fromkeys(("warn", "40"), "warning"),
    **dict.fromkeys(("err", "severe", "50"), "error"),
    **dict.fromkeys(("crit", "fatal", "panic", "dpanic", "alert", "emerg", "emergency", "60"), "critical"),
}
LEVEL_KEYS = ("level", "lvl", "levelname", "severity", "log.level", "loglevel")
MESSAGE_KEYS = ("event", "message", "msg")
TIME_KEYS = ("timestamp", "ts", "time", "at", "asctime", "t", "@timestamp")

_PAIR = re.compile(r'([A-Za-z_][\w.\-/@]*)=("(?:[^"\\]|\\.)*"|[^\s"]*)(?:\s+|$)')
_ESCAPE = re.compile(r"\\(.)")
#: Words of levels as plain lines have them near their beginning: Postgres, uvicorn, Python, Java.
_WORD = re.compile(
    r"\b(TRACE|DEBUG\d?|INFO|NOTICE|LOG|WARN|WARNING|ERR|ERROR|SEVERE|CRIT|CRITICAL|FATAL|PANIC)\b(?=[\]:)| \t-])"
)
_BEGINNING = 100
_REDIS = re.compile(r"\d+:[A-Z] (\d\d \w{3} \d{4} \d\d:\d\d:\d\d)\.(\d{3}) ([.\-*#]) ")
_REDIS_LEVELS = {".": "debug", "-": "debug", "*": "info", "#": "warning"}
#: ISO 8601 as Postgres, uvicorn and most others begin a line.
_ISO = re.compile(r"\W?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:[.,](\d{1,6}))?\d* ?(Z|UTC|GMT|[+-]\d\d:?\d\d)?")
_LOGFMT_TIME = re.compile(r'(?:^|\s)(?:ts|time|timestamp|t)="?(?=\d{4}-)')
#: Numbers of one of these sizes are times between 2001 and 2286, in seconds, milli-, micro- and nanoseconds; what is
#: smaller or between them counts something else, such as how long a request took.
_EPOCHS = (1, 10**3, 10**6, 10**9)
_YEAR_2001, _YEAR_2286 = 10**9, 10**10


def fields(text: str) -> dict[str, Any] | None:
    """The JSON object, or the pairs of logfmt, that the line is; None for anything else, however it is malformed."""
    start = text.lstrip()
    return json_object(start) if start.startswith("{") else _logfmt(start)


def json_object(text: str) -> dict[str, Any] | None:
    """The JSON object that the line is; None for anything else, however it is malformed."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):  # the latter: nested deeper than Python follows
        return None
    return found if isinstance(found, dict) else None


def level(text: str, found: Fields | None) -> str:
    """One of ``LEVELS``, or empty where the line has none; ``found`` are its fields."""
    if found is not None:
        named = next((found[key] for key in LEVEL_KEYS if key in found), "")
        return _SAME.get(str(named).strip().lower(), "")
    if redis := _REDIS.match(text):
        return _REDIS_LEVELS[redis[3]]
    word = _WORD.search(text, 0, _BEGINNING)
    return _SAME.get(word[1].lower().rstrip("12345"), "") if word else ""


def time(text: str, found: Fields | None) -> datetime | None:
    """The time that the line says of itself; local times are taken as this host's."""
    if found is None:
        return _plain_time(text)
    for key in TIME_KEYS:
        value = found.get(key)
        if isinstance(value, str) and (iso := _ISO.match(value)):
            return _moment(iso)
        if isinstance(value, int | float) and (at := _epoch(value)) is not None:
            return at
    return None


def quick_time(text: str) -> datetime | None:
    """``time`` of a line without reading its fields, where it is a plain line or logfmt."""
    if at := _LOGFMT_TIME.search(text, 0, _BEGINNING):
        return iso_time(text[at.end() :])
    return _plain_time(text)


def iso_time(text: str) -> datetime | None:
    """The ISO 8601 time at the beginning of a text."""
    return _moment(found) if (found := _ISO.match(text)) else None


def _plain_time(text: str) -> datetime | None:
    if found := _REDIS.match(text):
        at = datetime.strptime(f"{found[1]}.{found[2]}", "%d %b %Y %H:%M:%S.%f")  # noqa: DTZ007 - this host's time
        return at.astimezone(UTC)
    return iso_time(text)


def _logfmt(text: str) -> dict[str, Any] | None:
    """Nothing but pairs, and among them a level or a message: a sentence that holds ``a=b`` is none."""
    found: dict[str, Any] = {}
    place = 0
    while place < len(text):
        pair = _PAIR.match(text, place)
        if pair is None:
            return None
        value = pair[2]
        found[pair[1]] = _ESCAPE.sub(r"\1", value[1:-1]) if value.startswith('"') else value
        place = pair.end()
    known = len(found) > 1 and any(key in found for key in (*LEVEL_KEYS, *MESSAGE_KEYS))
    return found if known else None


def _epoch(value: float) -> datetime | None:
    for unit in _EPOCHS:
        if _YEAR_2001 <= value / unit < _YEAR_2286:
            return datetime.fromtimestamp(value / unit, UTC)
    return None


def _moment(found: re.Match[str]) -> datetime | None:
    seconds, fraction, zone = found[1], found[2], found[3]
    try:
        at = datetime.fromisoformat(f"{seconds}.{(fraction or '0').ljust(6, '0')}")
        if zone is None:
            return at.astimezone(UTC)
        offset = "+00:00" if zone in {"Z", "UTC", "GMT"} else zone
        return datetime.fromisoformat(f"{at.isoformat()}{offset}").astimezone(UTC)
    except ValueError:
        return None


_TRACEBACK = ("Traceback (most recent call last):", "During handling of the above", "The above exception")


def begins_traceback(text: str) -> bool:
    """Whether a line that follows another one is Python's way to go on with a traceback."""
    return text.startswith(_TRACEBACK)


def ends_traceback(text: str) -> bool:
    """Whether a line within a traceback is its last: the exception itself, at the beginning of the line."""
    return bool(text.strip()) and not text[0].isspace() and not begins_traceback(text)
