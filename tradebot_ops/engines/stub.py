"""An engine that keeps everything in memory: replicas go through the real states, but no program runs.

Unit tests work against it, and planning does with ``read_only``: then every verb that would change something
raises. ``recording`` lists the writes as ``("apply", "worker-2")``.
"""

import itertools
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from tradebot_ops.engines.base import (
    Address,
    Event,
    ExecResult,
    ImageFacts,
    LogLine,
    LogQuery,
    Progress,
    Published,
    Replica,
    State,
    Stats,
)
from tradebot_ops.errors import NoAddress, OpsError
from tradebot_ops.stack.model import Service, Stack
from tradebot_ops.text.labels import label

T = TypeVar("T")

_KILLED, _STOPPED = 137, 143


def _now() -> datetime:
    return datetime.now(UTC)


class StubEngine:
    """``exit_codes`` sets how one-shot services end (0 by default); ``answers`` what ``exec`` returns by command."""

    name = "stub"

    def __init__(
        self,
        project: str = "stub",
        *,
        read_only: bool = False,
        exit_codes: Mapping[str, int] | None = None,
        answers: Mapping[tuple[str, ...], ExecResult] | None = None,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self.recording: list[tuple[str, str]] = []
        self.volumes: set[str] = set()
        self.facts = ImageFacts()
        self._project = project
        self._read_only = read_only
        self._exit_codes = exit_codes or {}
        self._answers = answers or {}
        self._clock = clock
        self._prepared = False
        self._replicas: dict[str, Replica] = {}
        self._ports: dict[str, frozenset[int]] = {}
        self._lines: list[LogLine] = []
        self._events: list[Event] = []
        self._pids = itertools.count(1000)
        self._changed = threading.Condition(threading.RLock())

    # The protocol

    def prepare(self, stack: Stack, progress: Progress) -> None:
        """Remember that the project stands; its volumes come into being."""
        with self._writing("prepare", stack.project):
            self._prepared = True
            self.volumes |= set(stack.volumes)
            progress("", "prepared in memory")

    def list(self) -> tuple[Replica, ...]:
        with self._changed:
            return tuple(sorted(self._replicas.values(), key=lambda one: (one.service, one.number)))

    def apply(self, stack: Stack, service: str, number: int) -> Replica:
        """Start the replica; a one-shot has ended when this returns."""
        described = stack.services[service]
        name = label(service, number)
        before = self._replicas.get(name)
        same = before and before.spec_hash == described.spec_hash and service not in self.facts.rebuilt
        if before and before.state.alive and same:
            with self._changed:
                self._replicas[name] = replace(before, content_hash=described.content_hash)
                return self._replicas[name]
        with self._writing("apply", name):
            if not self._prepared:
                raise OpsError("Nothing is prepared.", code="TB-0406", hint="Start the stack: tradebot up")
            if before and before.state.alive:
                self._end(before, State.EXITED, _STOPPED, "stop")
            self._ports[name] = _ports(described)
            started = self._start(described, number, name)
            if described.one_shot:
                return self._end(started, State.EXITED, self._exit_codes.get(service, 0), "die")
            return started

    def stop(self, replica: Replica, grace: float) -> None:
        """A grace of 0 kills; a replica that is not running stays as it is."""
        with self._writing("stop", replica.id):
            found = self._replicas.get(replica.id)
            if found is not None and found.state.alive:
                self._end(found, State.EXITED, _STOPPED if grace > 0 else _KILLED, "stop")

    def signal(self, replica: Replica, name: str) -> None:
        with self._writing("signal", f"{replica.id} {name}"):
            found = self._running(replica)
            if name == "SIGKILL":
                self._end(found, State.EXITED, _KILLED, "die")

    def remove(self, replica: Replica) -> None:
        with self._writing("remove", replica.id):
            found = self._replicas.get(replica.id)
            if found is not None and found.state.alive:
                raise OpsError(
                    f"{replica.name} is running.",
                    code="TB-0901",
                    hint=f"Stop it first: tradebot stop {replica.service}",
                )
            self._replicas.pop(replica.id, None)

    def destroy(self, stack: Stack | None, *, volumes: bool) -> tuple[str, ...]:
        with self._writing("destroy", "volumes" if volumes else ""):
            gone = [self._project] if self._prepared else []
            self._prepared = False
            self._replicas.clear()
            if volumes:
                gone += sorted(self.volumes)
                self.volumes.clear()
            return tuple(gone)

    def logs(self, query: LogQuery) -> Iterator[LogLine]:
        """Lines written through ``say``, and the engine's own about starts."""
        position = len(self._lines)
        for one in self.list():
            lines = [line for line in self._lines[:position] if _matches(line, one, query)]
            yield from lines if query.tail is None else lines[max(len(lines) - query.tail, 0) :]
        while query.follow:
            fresh = self._next(self._lines, position)
            position += len(fresh)
            yield from (line for line in fresh if not query.services or line.service in query.services)

    def exec(self, replica: Replica, command: Sequence[str], *, timeout: float | None = 30) -> ExecResult:
        self._running(replica)
        return self._answers.get(tuple(command), ExecResult(0, ""))

    def stats(self, replicas: Sequence[Replica], *, cpu: bool = True) -> tuple[Stats, ...]:
        alive = {one.id for one in self.list() if one.state.alive}
        return tuple(Stats(one.id, 0.0 if cpu else None, 1024 * 1024) for one in replicas if one.id in alive)

    def events(self, since: datetime | None = None, *, follow: bool = False) -> Iterator[Event]:
        seen = len(self._events)
        fresh: Sequence[Event] = self._events[:seen]
        while True:
            yield from (event for event in fresh if since is None or event.at >= since)
            if not follow:
                return
            fresh = self._next(self._events, seen)
            seen += len(fresh)

    def endpoint(self, service: str, port: int, number: int = 1) -> Address:
        if port not in self._ports.get(label(service, number), frozenset()):
            raise NoAddress(
                f"{label(service, number)} has no port {port}.",
                code="TB-0405",
                hint="Start it with `tradebot up`; `tradebot urls` lists what can be reached.",
            )
        return Address("127.0.0.1", port if number == 1 else port + 10000 + number - 2)

    def image_facts(self, stack: Stack) -> ImageFacts:
        """The ``facts`` that a test has set."""
        return self.facts

    # What a test makes happen

    def say(self, service: str, number: int, text: str) -> None:
        """Let a replica write a log line."""
        with self._changed:
            self._lines.append(LogLine(service, number, text, self._clock()))
            self._changed.notify_all()

    def crash(self, service: str, number: int, exit_code: int = 1, *, for_good: bool = False) -> Replica:
        """Let a replica die: it comes back at once, or with ``for_good`` the engine gives up on it."""
        with self._changed:
            found = self._replicas[label(service, number)]
            self._end(found, State.FAILED if for_good else State.RESTARTING, exit_code, "die")
            if for_good:
                return self._replicas[found.id]
            back = replace(
                found,
                state=State.RUNNING,
                restarts=found.restarts + 1,
                exit_code=exit_code,
                pid=next(self._pids),
                started_at=self._clock(),
            )
            self._replicas[found.id] = back
            self._happened(back, "start")
            return back

    # Helpers

    def _writing(self, verb: str, subject: str) -> threading.Condition:
        if self._read_only:
            raise OpsError(
                f"A read-only engine was asked to {verb} {subject}.",
                code="TB-0903",
                hint="This is a mistake in tradebot: a plan must not change anything.",
            )
        with self._changed:
            self.recording.append((verb, subject))
        return self._changed

    def _next(self, what: Sequence[T], seen: int) -> Sequence[T]:
        """Wait for what comes after the first ``seen`` ones."""
        with self._changed:
            self._changed.wait_for(lambda: len(what) > seen)
            return what[seen:]

    def _start(self, service: Service, number: int, name: str) -> Replica:
        replica = Replica(
            service=service.name,
            number=number,
            id=name,
            name=f"{self._project}-{name}",
            state=State.RUNNING,
            spec_hash=service.spec_hash,
            content_hash=service.content_hash,
            pid=next(self._pids),
            started_at=self._clock(),
            image=service.image,
            published=tuple(
                Published(port.target, Address(port.host_ip, port.published or port.target))
                for port in service.ports
                if number == 1
            ),
        )
        self._replicas[name] = replica
        self._happened(replica, "start")
        return replica

    def _end(self, replica: Replica, state: State, exit_code: int, action: str) -> Replica:
        ended = replace(replica, state=state, exit_code=exit_code, pid=None)
        self._replicas[replica.id] = ended
        self._happened(ended, action, exit_code)
        return ended

    def _happened(self, replica: Replica, action: str, exit_code: int | None = None) -> None:
        self._events.append(Event(self._clock(), replica.service, replica.number, action, exit_code))
        self._changed.notify_all()

    def _running(self, replica: Replica) -> Replica:
        found = self._replicas.get(replica.id)
        if found is None or not found.state.alive:
            raise OpsError(f"{replica.id} is not running.", code="TB-0110", hint="`tradebot status` shows what is.")
        return found


def _ports(service: Service) -> frozenset[int]:
    ports = {port.target for port in service.ports} | set(service.expose)
    return frozenset(ports | {service.probe.port} if service.probe else ports)


def _matches(line: LogLine, one: Replica, query: LogQuery) -> bool:
    return (
        (line.service, line.number) == (one.service, one.number)
        and (not query.services or line.service in query.services)
        and query.number in {None, line.number}
        and (query.since is None or line.at is None or line.at >= query.since)
    )
