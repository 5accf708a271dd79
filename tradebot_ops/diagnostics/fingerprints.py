"""Errors in logs, grouped: the same fault is one group, however often and wherever it is logged. Pure.

A group's key is service, level, event, exception type and the innermost frames without their line numbers. Lines of
programs that are not ours (Postgres, Redis, Prometheus …) are grouped by their masked text. Most lines are no
errors: those are passed over before anything is parsed.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tradebot_ops.diagnostics.masks import masked
from tradebot_ops.diagnostics.redaction import WITHHELD, Redactor
from tradebot_ops.engines.base import LogLine
from tradebot_ops.facts.access.logins import TRIED
from tradebot_ops.text.labels import label

TOP_FRAMES = 5
#: What is kept: so many groups, and so much of each.
MOST_GROUPS, MOST_JOBS, MOST_REPLICAS, SAMPLE = 500, 5, 20, 600
#: A traceback has no more lines than that, or it is none.
LONGEST_TRACEBACK = 300

#: Characters of a line that are looked at; of a longer one of ours, these keys.
LONGEST_LINE = 64_000
_KEYS = ("event", "msg", "message", "exception", "traceback", "error_type", "job_id")

LEVELS = {"error": "error", "err": "error", "critical": "critical", "crit": "critical"} | dict.fromkeys(
    ("fatal", "panic", "alert", "emerg"), "critical"
)
_TRACEBACK = "Traceback (most recent call last):"
#: One of these is in every line that is an error; looking for them costs a tenth of reading the line.
_SIGNS = ('"error"', '"critical"', '"fatal"', '"panic"')
_FOREIGN_SIGNS = ("ERROR", "FATAL", "PANIC", "CRITICAL", "level=", "lvl=", " # ")
_FOREIGN = re.compile(
    r"\b(?P<word>ERROR|FATAL|PANIC|CRITICAL):"
    r"|\b(?:level|lvl)=\"?(?P<logfmt>(?i:error|err|crit|critical|fatal|panic))\b"
    r"|^\d+:[A-Z] \d\d \w{3} \d{4} [\d:.]+ (?P<redis>\#) "
)
#: What stands before the message is a time, a process, a user: no part of the error.
_LOGFMT_MESSAGE = re.compile(r'\bmsg=(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>\S+))(?P<rest>.*)')
_LOGFMT_ERROR = re.compile(r'\berr(?:or)?=(?:"((?:[^"\\]|\\.)*)"|(\S+))')
#: In Postgres' prefix: `prod-check` tried whether a default password works, and was refused, as it should be.
_TRIED = f"@{TRIED} "
_FRAME = re.compile(r'^ *File "([^"]+)", line \d+, in (.+)$', re.MULTILINE)
_RAISED = re.compile(r"^(?:[A-Za-z_]\w*\.)*([A-Za-z_]\w*)(?:: .*)?$", re.MULTILINE)
_ROOTS = ("/_stack/", "/site-packages/", "/dist-packages/")
_LIBRARY = re.compile(r"^.*/lib/python[\d.]+/")


@dataclass(frozen=True)
class Key:
    """Key by which two errors are the same."""

    service: str
    level: str
    event: str
    exception: str = ""
    frames: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits, the same on every host."""
        parts = "\0".join((self.service, self.level, self.event, self.exception, *self.frames))
        return hashlib.sha256(parts.encode("utf-8", "replace")).hexdigest()[:12]


@dataclass
class Group:
    """All errors with one key. ``sample`` is the last of them, redacted and cut."""

    key: Key
    count: int = 0
    first: datetime | None = None
    last: datetime | None = None
    replicas: set[str] = field(default_factory=set)
    jobs: list[str] = field(default_factory=list)
    sample: str = ""


@dataclass(frozen=True)
class Grouped:
    """Groups, the most frequent first; ``lines`` were looked at, and ``beyond`` errors belong to groups too many.

    Of the replicas in ``cut`` only the last lines were read.
    """

    groups: tuple[Group, ...]
    lines: int
    beyond: int = 0
    cut: tuple[str, ...] = ()


def group(lines: Iterable[LogLine], redactor: Redactor, most: int | None = None) -> Grouped:
    """Read lines, each replica's in their order, and group the errors among them. ``most`` were asked for of each.

    Secrets go before anything is masked or cut: of half a secret nobody could say afterwards that it is one.
    """
    reader = _Reader(redactor)
    read: Counter[tuple[str, int]] = Counter()
    for line in lines:
        read[line.service, line.number] += 1
        reader.read(line)
    reader.finish()
    groups = sorted(reader.groups.values(), key=lambda each: -each.count)
    cut = sorted(label(service, number) for (service, number), count in read.items() if count == most)
    return Grouped(tuple(groups), read.total(), reader.beyond, tuple(cut))


class _Reader:
    """Line after line; a traceback that is no part of a JSON line is put together from several."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self.groups: dict[Key, Group] = {}
        self.beyond = 0
        self._open: dict[str, tuple[LogLine, list[str]]] = {}

    def read(self, line: LogLine) -> None:
        text = line.text
        if self._open and line.label in self._open:
            self._go_on(line)
        elif text.startswith("{"):
            for sign in _SIGNS:
                if sign in text:
                    self._json(line)
                    return
        elif text.startswith(_TRACEBACK):
            self._open[line.label] = (line, [text])
        else:
            for sign in _FOREIGN_SIGNS:
                if sign in text:
                    self._foreign(line)
                    return

    def finish(self) -> None:
        for replica in list(self._open):
            self._close(replica)

    def _json(self, line: LogLine) -> None:
        fields = _loaded(line.text)
        if fields is None:
            text = self._redactor.safe(line.text[:LONGEST_LINE])
            self._add(line, Key(line.service, "error", masked(text)), text)
        elif (level := LEVELS.get(str(fields.get("level", "")).lower())) is not None:
            self._ours(line, level, fields)

    def _ours(self, line: LogLine, level: str, fields: dict[str, Any]) -> None:
        text = json.dumps(self._redactor.document(fields), ensure_ascii=False)
        if len(text) > LONGEST_LINE:
            text = json.dumps({name: fields[name] for name in _KEYS if name in fields}, ensure_ascii=False)
        cleaned = _loaded(self._redactor.safe(text)) if len(text) <= LONGEST_LINE else None
        if cleaned is None:
            self._add(line, Key(line.service, level, "a line that is too long, or could not be cleaned"), WITHHELD)
            return
        texts = {name: value for name, value in cleaned.items() if isinstance(value, str)}
        self._add(
            line, json_key(line.service, level, texts), json.dumps(cleaned, ensure_ascii=False), texts.get("job_id", "")
        )

    def _foreign(self, line: LogLine) -> None:
        if _FOREIGN.search(line.text) is None or _TRIED in line.text:
            return
        text = self._redactor.safe(line.text[:LONGEST_LINE])
        found = _FOREIGN.search(text)
        key = foreign_key(line.service, text, found) if found else Key(line.service, "error", masked(text))
        self._add(line, key, text)

    def _go_on(self, line: LogLine) -> None:
        _, lines = self._open[line.label]
        if len(lines) < LONGEST_TRACEBACK and not line.text.startswith("{"):
            lines.append(line.text)
            if line.text.startswith((" ", "\t")) or not line.text:
                return
            self._close(line.label)
            return
        self._close(line.label)
        self.read(line)

    def _close(self, label: str) -> None:
        first, lines = self._open.pop(label)
        text = self._redactor.safe("\n".join(lines))
        exception, frames = raised(text)
        self._add(first, Key(first.service, "critical", "uncaught", exception, frames), text)

    def _add(self, line: LogLine, key: Key, text: str, job: str = "") -> None:
        found = self.groups.get(key)
        if found is None:
            if len(self.groups) >= MOST_GROUPS:
                self.beyond += 1
                return
            found = self.groups[key] = Group(key)
        found.count += 1
        found.sample = text[:SAMPLE]
        if line.at is not None:
            found.first = min(found.first or line.at, line.at)
            found.last = max(found.last or line.at, line.at)
        if len(found.replicas) < MOST_REPLICAS:
            found.replicas.add(line.label)
        if job and job not in found.jobs and len(found.jobs) < MOST_JOBS:
            found.jobs.append(job)


def _loaded(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def json_key(service: str, level: str, fields: Mapping[str, str]) -> Key:
    """The key of a line of ours."""
    exception, frames = raised(fields.get("exception") or fields.get("traceback") or "")
    event = fields.get("event") or fields.get("msg") or fields.get("message") or ""
    return Key(service, level, masked(event), exception or fields.get("error_type", ""), frames)


def foreign_key(service: str, text: str, found: re.Match[str]) -> Key:
    """The key of a line of another program; ``found`` is where it says that it is an error."""
    if found["redis"]:
        return Key(service, "error", masked(text[found.end() :]))
    if found["word"]:
        level = LEVELS[found["word"].lower()]
        return Key(service, level, masked(text[found.start() :]))
    level = LEVELS[found["logfmt"].lower()]
    message, error = _LOGFMT_MESSAGE.search(text), _LOGFMT_ERROR.search(text)
    if message is None:
        return Key(service, level, masked(text[found.end() :]))
    why = masked(error[1] or error[2] or "") if error else ""
    return Key(service, level, masked(message["quoted"] or message["bare"] or ""), why)


def raised(traceback: str) -> tuple[str, tuple[str, ...]]:
    """The type of the exception that a traceback ends with, and its innermost frames as ``path:function``."""
    if not traceback:
        return "", ()
    last = traceback.rpartition(_TRACEBACK)[2]
    frames = tuple(f"{_path(path)}:{name}" for path, name in _FRAME.findall(last)[-TOP_FRAMES:])
    names = _RAISED.findall(last)
    return (names[-1] if names else ""), frames


def _path(filename: str) -> str:
    """Below the installation: the same wherever it lies."""
    for root in _ROOTS:
        if root in filename:
            return filename.rpartition(root)[2]
    if start := filename.rfind("/services/") + 1:
        return filename[start:]
    return _LIBRARY.sub("", filename)
