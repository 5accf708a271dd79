"""The Docker engine: makes the containers of one project match its stack."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, BinaryIO

from tradebot_ops.docker.client import Client, Deadlines
from tradebot_ops.docker.images import Images
from tradebot_ops.docker.locate import locate
from tradebot_ops.engines.base import (
    Address,
    ExecResult,
    ImageDates,
    ImageFacts,
    Leftover,
    LogLine,
    LogQuery,
    Progress,
    Replica,
    State,
    Stats,
)
from tradebot_ops.engines.docker import exec_attached, secrets, spec
from tradebot_ops.engines.docker.containers import Container, Containers, is_up
from tradebot_ops.engines.docker.exec import execute, pipe
from tradebot_ops.engines.docker.leftovers import Leftovers
from tradebot_ops.engines.docker.networks_and_volumes import Ground
from tradebot_ops.engines.docker.observing import inspection, standing
from tradebot_ops.engines.docker.observing.addresses import local_address, remote_address
from tradebot_ops.engines.docker.observing.events import BEGINNING, EventStream
from tradebot_ops.engines.docker.observing.image_facts import image_facts
from tradebot_ops.engines.docker.observing.logs import Follower, merged
from tradebot_ops.engines.docker.observing.observe import replica_of
from tradebot_ops.engines.docker.observing.remembered import remembered
from tradebot_ops.engines.docker.observing.stats import Sampler
from tradebot_ops.engines.docker.readable import open_mounts
from tradebot_ops.engines.docker.replicas import Maker
from tradebot_ops.engines.inspection import EngineInfo, Inspected, TriedOut
from tradebot_ops.errors import NoAddress, OpsError
from tradebot_ops.records import ReloadedContainers
from tradebot_ops.stack.model import Stack
from tradebot_ops.state import ProjectState, state_root


class DockerEngine:
    """Keeps ``tradebot_ops.engines.base.Engine`` for one project on the engine that the environment names.

    Nothing is asked before the first verb. Every verb raises ``OpsError``: TB-0401 when the daemon is not there,
    TB-0402 when this user may not use it, TB-0601 when it stays silent for longer than its deadline.
    """

    name = "docker"

    def __init__(self, project: str, environ: Mapping[str, str], deadlines: Deadlines | None = None) -> None:
        self.project = project
        self.client = Client(locate(environ), deadlines)
        self.images = Images(self.client)
        self._ground = Ground(self.client, project)
        self._sampler = Sampler(self.client)
        self._state = ProjectState(state_root(dict(environ)) / project)
        self._containers = Containers(self.client, project)
        self._maker = Maker(self.client, project, self._containers, self.images, self._state, self._ground)

    def prepare(self, stack: Stack, progress: Progress) -> None:
        """Networks, volumes, readable secrets and configuration; ``progress`` hears of images that ``apply`` gets."""
        self._maker.progress = progress
        if self.client.location.local:
            secrets.share(stack)
            self._open_mounts(stack)
        self._ground.prepare(stack)

    def _open_mounts(self, stack: Stack) -> None:
        """Before anything starts: the core is not begun without its files, what belongs to a profile is left out."""
        refused = open_mounts(stack, lambda service: service.user or self.images.user(service.image))
        for name, why in refused.items():
            if not stack.services[name].profiles:
                raise OpsError(why.message, code=why.code, hint=why.hint)
        self._maker.refused = refused

    def destroy(self, stack: Stack | None, *, volumes: bool) -> tuple[str, ...]:
        """Remove what carries the project's label, so a stack that cannot be read any more is removed, too."""
        containers = self._containers.find()
        gone = [replica_of(container).name for container in containers]
        self._containers.end(containers)
        self._state.discard(ReloadedContainers)
        self._maker.ports.forget()
        return (*gone, *self._ground.destroy(volumes=volumes))

    # Replicas

    def list(self) -> tuple[Replica, ...]:
        """Every replica of the project, whoever started it: Compose's own containers are found, too."""
        reloaded = self._state.load(ReloadedContainers).hashes
        found = [self._replica(container, reloaded) for container in self._containers.find()]
        return tuple(sorted(found, key=lambda replica: (replica.service, replica.number, replica.name)))

    def image_facts(self, stack: Stack) -> ImageFacts:
        """Services whose image is missing, newer than their replicas, or older than its source; replicas off their
        networks, and with a mounted file that was replaced."""
        listed = self._containers.listed()
        running = {(each["Labels"].get(spec.SERVICE, ""), each["ImageID"]) for each in listed}
        detached = standing.detached(stack, listed, self._ground.network_ids())
        replaced = standing.replaced(stack, listed) if self.client.location.local else frozenset()
        return replace(image_facts(stack, self.images, running), detached=detached, replaced=replaced)

    def image_sources(self) -> Mapping[str, str]:
        return {tag: image.content_hash for image in self.images.list() for tag in image.tags}

    def image_history(self, images: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        found = {image: self.images.history(image) for image in images}
        return {image: steps for image, steps in found.items() if steps is not None}

    def apply(self, stack: Stack, service: str, number: int) -> Replica:
        """Start the replica that is there when nothing about it changed, else make it anew.

        A running one that only mounts other contents by now is left alone and noted as having read them: whether
        it reloads or restarts is the caller's choice, made before.
        """
        found = self._containers.inspect(self._maker.make(stack, service, number))
        if found is None:
            raise OpsError(
                f"{service} {number} was removed by another program while it was being started.",
                code="TB-0112",
                hint="Run the command again.",
            )
        return self._replica(found, self._state.load(ReloadedContainers).hashes)

    def _replica(self, container: Container, reloaded: Mapping[str, Any]) -> Replica:
        """Addresses of another host's engine mean something else on this one."""
        found = replica_of(container, reloaded)
        return found if self.client.location.local else replace(found, host="", published=())

    def stop(self, replica: Replica, grace: float) -> None:
        """A replica that is gone already is stopped. TB-0601 names the one that the engine cannot stop."""
        self._containers.stop(replica.id, f"{replica.service} {replica.number}", grace)

    def signal(self, replica: Replica, name: str) -> None:
        doing = f"sending {name} to {replica.service} {replica.number}"
        with self.client.translating_errors(doing, self.client.deadlines.write):
            self.client.writes.kill(replica.id, name)

    def remove(self, replica: Replica) -> None:
        """Volumes without a name go with the container; named ones stay."""
        self._containers.remove(replica.id, f"{replica.service} {replica.number}")

    # Looking at them

    def logs(self, query: LogQuery) -> Iterator[LogLine]:
        """Finite logs are merged by time; followed ones come as they come, those of later replicas included."""
        containers = [each for each in self._containers.find() if selected(query, replica_of(each))]
        if not query.follow:
            return merged(self.client, containers, query)
        follower = Follower(self.client, query)
        # Subscribed before the first line is read: what starts meanwhile is not missed.
        starts = self.events(datetime.now(tz=UTC), follow=True)
        for container in containers:
            follower.add(container)
        follower.watch(self._started(starts, query), starts.close)
        return iter(follower)

    def _started(self, events: EventStream, query: LogQuery) -> Iterator[Container]:
        for raw in events.raw():
            if raw["Action"] == "start":
                container = self._containers.inspect(raw["Actor"]["ID"])
                if container is not None and selected(query, replica_of(container)):
                    yield container

    def exec(self, replica: Replica, command: Sequence[str], *, timeout: float | None = 30) -> ExecResult:
        """Output of both streams in the order it came. TB-0601 when the command outlives ``timeout`` seconds."""
        return execute(self.client, replica, command, timeout)

    def attached(self, replica: Replica, command: Sequence[str], *, terminal: bool) -> int:
        """Run a command with this process's own input and output; an empty one is a shell."""
        return exec_attached.attached(self.client, replica, command, terminal=terminal)

    def piped(
        self, replica: Replica, command: Sequence[str], *, source: BinaryIO | None = None, sink: BinaryIO | None = None
    ) -> ExecResult:
        """The same between two files."""
        return pipe(self.client, replica, command, source, sink)

    def leftovers(self, stack: Stack, *, images: bool, volumes: bool) -> tuple[Leftover, ...]:
        return Leftovers(self.client, self.project).find(stack, images=images, volumes=volumes)

    def discard(self, leftover: Leftover) -> None:
        Leftovers(self.client, self.project).discard(leftover)

    def inspected(self) -> tuple[Inspected, ...]:
        found = [inspection.inspected(each) for each in self._containers.find(one_offs=True)]
        return tuple(sorted(found, key=lambda each: (each.service, each.number, each.name)))

    def info(self) -> EngineInfo:
        return inspection.info(self.client)

    def try_out(self, images: Sequence[str]) -> TriedOut:
        return inspection.try_out(self.client, self.project, images)

    def ask_outside(self, image: str, command: Sequence[str]) -> str:
        return inspection.ask_outside(self.client, self.project, image, command)

    def image_dates(self, images: Sequence[str]) -> tuple[ImageDates, ...]:
        return inspection.image_dates(self.client, images)

    def stats(self, replicas: Sequence[Replica], *, cpu: bool = True) -> tuple[Stats, ...]:
        return self._sampler.sample([one for one in replicas if one.state is State.RUNNING], cpu=cpu)

    def events(self, since: datetime | None = None, *, follow: bool = False) -> EventStream:
        """Subscribed when this returns; ``close`` it from any thread to end a follower."""
        past = () if follow else remembered(self._containers.find(), since or BEGINNING)
        return EventStream(self.client, self.project, since=since, follow=follow, past=past)

    def announce(self, changed: Callable[[], None]) -> Callable[[], None]:
        """A stream that breaks ends the news; asking then shows what became of the engine."""
        stream = self.events(datetime.now(tz=UTC), follow=True)

        def pass_on() -> None:
            with contextlib.suppress(OpsError):
                for _ in stream:
                    changed()

        threading.Thread(target=pass_on, name="events", daemon=True).start()
        return stream.close

    def endpoint(self, service: str, port: int, number: int = 1) -> Address:
        """The published port, else the container's own address, which only the engine's host reaches."""
        container = next((each for each in self._containers.of_replica(service, number) if is_up(each)), None)
        if container is None:
            raise NoAddress(
                f"{service} {number} is not running.",
                code="TB-0507",
                hint=f"Start it with `tradebot up`, or see why it stopped: tradebot logs {service}",
            )
        if self.client.location.local:
            return local_address(replica_of(container), container, port)
        return remote_address(replica_of(container), container, port, self.client.location)


def selected(query: LogQuery, replica: Replica) -> bool:
    return (not query.services or replica.service in query.services) and query.number in {None, replica.number}
