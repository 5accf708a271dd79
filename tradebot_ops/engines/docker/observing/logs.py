"""Log lines of several containers as one stream: merged by time when finite, as they come when followed."""

import contextlib
import heapq
import logging
import queue
import struct
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import requests
from docker.errors import APIError, NotFound

from tradebot_ops.docker.client import Client
from tradebot_ops.engines.base import LogLine, LogQuery
from tradebot_ops.engines.docker.observing.observe import parse_time
from tradebot_ops.engines.docker.spec import owner
from tradebot_ops.errors import OpsError

HEADER = struct.Struct(">BxxxL")  # stream (1 is stdout, 2 is stderr), length of what follows
#: Lines that may wait for a slow reader before the engine is made to wait, too.
BACKLOG = 10_000
#: Words of the engine for drivers that hand lines on without a copy here.
UNREADABLE = "does not support reading"
LONG_AGO = datetime.min.replace(tzinfo=UTC)

log = logging.getLogger(__name__)

Container = Mapping[str, Any]


def merged(client: Client, containers: Sequence[Container], query: LogQuery) -> Iterator[LogLine]:
    """Finite logs, oldest line first over all containers; memory holds one line of each."""
    sources = [lines(client, container, query) for container in containers]
    return heapq.merge(*sources, key=lambda line: line.at or LONG_AGO)


def lines(client: Client, container: Container, query: LogQuery) -> Iterator[LogLine]:
    """One container's lines; one that vanished, or whose driver keeps no log, has none."""
    if container["HostConfig"]["LogConfig"]["Type"] == "none":
        return
    name = container["Name"].lstrip("/")
    with client.translating_errors(f"reading the log of {name}", client.deadlines.read):
        try:
            answer = client.stream(f"/containers/{container['Id']}/logs", parameters(query), endless=query.follow)
        except NotFound:
            return
        except APIError as error:
            if UNREADABLE not in str(error.explanation):
                raise
            log.warning("The log of %s cannot be read: its driver does not support that.", name)
            return
        with contextlib.closing(answer):
            yield from parse(answer, container)


def parameters(query: LogQuery) -> dict[str, Any]:
    wanted: dict[str, Any] = {"stdout": 1, "stderr": 1, "timestamps": 1, "follow": int(query.follow)}
    wanted["tail"] = "all" if query.tail is None else query.tail
    if query.since is not None:
        wanted["since"] = f"{query.since.timestamp():.6f}"
    return wanted


def parse(answer: requests.Response, container: Container) -> Iterator[LogLine]:
    labels = container["Config"]["Labels"] or {}
    service, number = owner(labels)
    for raw in split(answer, tty=bool(container["Config"].get("Tty"))):
        stamp, _, text = raw.decode("utf-8", "replace").partition(" ")
        yield LogLine(service, number, text.rstrip("\r"), parse_time(stamp))


def split(answer: requests.Response, *, tty: bool) -> Iterator[bytes]:
    """Whole lines, each with its time in front: a frame may hold only a part of one."""
    if tty:
        yield from answer.iter_lines()
        return
    open_lines: dict[int, bytes] = {}
    while header := answer.raw.read(HEADER.size):
        stream, length = HEADER.unpack(header)
        data = answer.raw.read(length)
        if begun := open_lines.pop(stream, b""):
            # The engine cuts long lines and puts a time on every piece; the first one counts.
            data = begun + data.partition(b" ")[2]
        *whole, rest = data.split(b"\n")
        yield from whole
        open_lines[stream] = rest
    yield from (rest for rest in open_lines.values() if rest)


class Follower:
    """Follows the containers of a project, those that start later included, until it is closed."""

    def __init__(self, client: Client, query: LogQuery) -> None:
        self.client = client
        self.query = query
        self._lines: queue.Queue[LogLine | OpsError] = queue.Queue(BACKLOG)
        self._closed = threading.Event()
        self._begun = datetime.now(tz=UTC)
        self._last: dict[str, datetime] = {}
        self._watched: Callable[[], None] = lambda: None

    def add(self, container: Container) -> None:
        """Follow one container as the query says, in a thread of its own."""
        self._in_background(lambda: self._copy(container, self.query, None))

    def _add_started(self, container: Container) -> None:
        """Follow one that started meanwhile: all it wrote since its last known line, or since following began."""
        seen = self._last.get(container["Id"])
        query = replace(self.query, since=seen or self._begun, tail=None)
        self._in_background(lambda: self._copy(container, query, seen))

    def watch(self, starts: Iterator[Container], close: Callable[[], None]) -> None:
        """Follow whatever that iterator brings, in a thread of its own; ``close`` ends it."""
        self._watched = close

        def add_each() -> None:
            for container in starts:
                self._add_started(container)

        self._in_background(add_each)

    def _in_background(self, work: Callable[[], None]) -> None:
        def guarded() -> None:
            try:
                work()
            except OpsError as error:
                if not self._closed.is_set():
                    self._lines.put(error)

        threading.Thread(target=guarded, daemon=True, name="tradebot-logs").start()

    def _copy(self, container: Container, query: LogQuery, seen: datetime | None) -> None:
        for line in lines(self.client, container, query):
            if seen is not None and line.at is not None and line.at <= seen:
                continue
            if line.at is not None:
                self._last[container["Id"]] = line.at
            self._put(line)
            if self._closed.is_set():
                return

    def _put(self, line: LogLine) -> None:
        while not self._closed.is_set():
            with contextlib.suppress(queue.Full):
                self._lines.put(line, timeout=0.5)
                return

    def __iter__(self) -> Iterator[LogLine]:
        """Lines as they come, without end; an error of any of the threads is raised here."""
        try:
            while True:
                item = self._lines.get()
                if isinstance(item, OpsError):
                    raise item
                yield item
        finally:
            self._closed.set()
            self._watched()
