"""The Docker engine: makes the containers of one project match its stack."""

import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from docker.errors import APIError, NotFound

from tradebot_ops.engines.base import (
    Address,
    ExecResult,
    ImageFacts,
    Instance,
    Leftover,
    LogLine,
    LogQuery,
    Progress,
    State,
    Stats,
)
from tradebot_ops.engines.docker import attached, inside, secrets, spec
from tradebot_ops.engines.docker.client import Client, Deadlines
from tradebot_ops.engines.docker.events import EventStream
from tradebot_ops.engines.docker.facts import image_facts
from tradebot_ops.engines.docker.ground import Ground
from tradebot_ops.engines.docker.images import Image, Images, recipe
from tradebot_ops.engines.docker.leftovers import Leftovers
from tradebot_ops.engines.docker.locate import locate
from tradebot_ops.engines.docker.logs import Follower, merged
from tradebot_ops.engines.docker.observe import instance_of
from tradebot_ops.engines.docker.ports import TAKEN, Ports
from tradebot_ops.engines.docker.sampling import Sampler
from tradebot_ops.errors import OpsError
from tradebot_ops.stack.model import Service, Stack
from tradebot_ops.state import ProjectState, state_root

#: The engine serialises most of what it does; more threads than this gain nothing.
THREADS = 8
#: An engine was seen to deadlock while stopping ten containers at once.
PARALLEL_STOPS = 4
#: Remembers which mounted contents running containers have read since they were made.
RELOADED = "docker-reloaded.json"

Container = dict[str, Any]


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
        self._ports = Ports(self._state, self.client)
        self._progress: Progress = ignore
        self._image_locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def prepare(self, stack: Stack, progress: Progress) -> None:
        """Networks, volumes, readable secrets; ``progress`` is also told of images that ``apply`` pulls or builds."""
        self._progress = progress
        if self.client.location.local:
            secrets.share(stack)
        self._ground.prepare(stack)

    def destroy(self, stack: Stack | None, *, volumes: bool) -> tuple[str, ...]:
        """What carries the project's label goes, so a stack that cannot be read any more is removed, too."""
        containers = self._containers()
        gone = [instance_of(container).name for container in containers]
        if containers:
            with ThreadPoolExecutor(min(PARALLEL_STOPS, len(containers))) as pool:
                list(pool.map(self._end, containers))
        (self._state.folder / RELOADED).unlink(missing_ok=True)
        self._ports.forget()
        return (*gone, *self._ground.destroy(volumes=volumes))

    def _end(self, container: Container) -> None:
        if is_up(container):
            self.stop(instance_of(container), float(container["Config"].get("StopTimeout") or 10))
        self.remove(instance_of(container))

    # Replicas

    def list(self) -> tuple[Instance, ...]:
        """Every replica of the project, whoever started it: Compose's own containers are found, too."""
        reloaded = self._state.read_json(RELOADED)
        found = [instance_of(container, reloaded) for container in self._containers()]
        return tuple(sorted(found, key=lambda instance: (instance.service, instance.number, instance.name)))

    def image_facts(self, stack: Stack) -> ImageFacts:
        """Services whose image is missing, newer than their replicas, or older than its source."""
        running = {(each["Labels"].get(spec.SERVICE, ""), each["ImageID"]) for each in self._listed()}
        return image_facts(stack, self.images, running)

    def _listed(self, *labels: str) -> Sequence[Container]:
        """Containers of the project as the engine lists them: less than inspected, and one question for all."""
        wanted = [f"{spec.PROJECT}={self.project}", f"{spec.ONE_OFF}=False", *labels]
        with self.client.speaking("listing containers", self.client.deadlines.read):
            found: Sequence[Container] = self.client.reads.containers(all=True, filters={"label": wanted})
        return found

    def _containers(self, *labels: str) -> Sequence[Container]:
        ids = [item["Id"] for item in self._listed(*labels)]
        if len(ids) <= 2:
            inspected = [self._inspect(each) for each in ids]
        else:
            with ThreadPoolExecutor(min(THREADS, len(ids))) as pool:
                inspected = [*pool.map(self._inspect, ids)]
        return [container for container in inspected if container is not None]

    def _replicas(self, service: str, number: int) -> Sequence[Container]:
        return self._containers(f"{spec.SERVICE}={service}", f"{spec.NUMBER}={number}")

    def _inspect(self, container: str) -> Container | None:
        with self.client.speaking(f"inspecting the container {container[:12]}", self.client.deadlines.read):
            try:
                found: Container = self.client.reads.inspect_container(container)
            except NotFound:
                return None
            return found

    def apply(self, stack: Stack, service: str, number: int) -> Instance:
        """Start the replica that is there when nothing about it changed, else make it anew.

        A running one that only mounts other contents by now is left alone and noted as having read them: whether
        it reloads or restarts is the caller's choice, made before.
        """
        wanted = stack.services[service]
        if self.client.location.local:
            check_sources(stack, wanted)
        try:
            container = self._converge(stack, wanted, number)
        except OpsError as error:
            if error.code != TAKEN or number != 1 or not self._made_room(wanted):
                raise
            image = self._image(wanted)
            container = self._replace(stack, wanted, number, image, self._replicas(service, number))
        found = self._inspect(container)
        if found is None:
            raise OpsError(
                f"{service} {number} was removed by somebody else while it was being started.",
                code="TB-0112",
                hint="Run the command again.",
            )
        return instance_of(found, self._state.read_json(RELOADED))

    def _made_room(self, service: Service) -> bool:
        """Whether a taken port can be had now. Compose lets every replica publish, so a later one may hold it."""
        siblings = [each for each in self._containers(f"{spec.SERVICE}={service.name}") if is_up(each)]
        holders = [each for each in siblings if instance_of(each).number != 1 and instance_of(each).published]
        self._clear(holders)
        if holders:
            return True
        return self.client.location.local and self._ports.move(service, lambda line: self._progress(service.name, line))

    def _converge(self, stack: Stack, service: Service, number: int) -> str:
        """Start the fitting replica or make one; its id."""
        image = self._image(service)
        existing = self._replicas(service.name, number)
        fitting = next((each for each in existing if self._fits(each, service, image)), None)
        if fitting is None:
            return self._replace(stack, service, number, image, existing)
        self._clear([each for each in existing if each is not fitting])
        self._start(fitting["Id"], fitting["State"]["Status"], f"{service.name} {number}")
        self._note_contents(fitting, service)
        return str(fitting["Id"])

    def _fits(self, container: Container, service: Service, image: Image) -> bool:
        """Whether it can stay. Contents matter to one that is started anyway: the new one has the right label."""
        labels = container["Config"].get("Labels") or {}
        same = labels.get(spec.SPEC_HASH) == service.spec_hash and container["Image"] == image.id
        return same and (is_up(container) or labels.get(spec.CONTENT_HASH) == service.content_hash)

    def _note_contents(self, container: Container, service: Service) -> None:
        labels = container["Config"].get("Labels") or {}
        with self._guard:
            known = self._state.read_json(RELOADED)
            if known.get(container["Id"], labels.get(spec.CONTENT_HASH)) != service.content_hash:
                self._state.write_json(RELOADED, {**known, container["Id"]: service.content_hash})

    def _replace(self, stack: Stack, service: Service, number: int, image: Image, existing: Sequence[Container]) -> str:
        """Create first, so that what cannot be created costs nothing; then remove the old one and start the new."""
        name = spec.container_name(self.project, service.name, number)
        made = self._create(stack, service, number, image, f"{name}-next" if existing else name)
        self._clear(existing)
        if existing:
            with self.client.speaking(f"naming {name}", self.client.deadlines.write):
                self.client.writes.rename(made, name)
        self._start(made, "created", f"{service.name} {number}")
        return made

    def _create(self, stack: Stack, service: Service, number: int, image: Image, name: str) -> str:
        target = spec.Target(self.client.version, image.id)
        config = spec.container_config(stack, self._ports.settled(service), number, target)
        with self.client.speaking(f"creating {name}", self.client.deadlines.write):
            answer = self.client.writes.create_container_from_config(config, name)  # type: ignore[no-untyped-call]
            made = str(answer["Id"])
            for network, endpoint in spec.networks(stack, service, number).items():
                if network not in config["NetworkingConfig"]["EndpointsConfig"]:
                    self.client.writes.connect_container_to_network(made, network, aliases=endpoint["Aliases"])
        return made

    def _clear(self, containers: Sequence[Container]) -> None:
        for container in containers:
            self._end(container)

    def _start(self, container: str, status: str, what: str) -> None:
        with self.client.speaking(f"starting {what}", self.client.deadlines.write):
            if status == "paused":
                self.client.writes.unpause(container)
            elif status not in {"running", "restarting"}:
                self.client.writes.start(container)

    def _image(self, service: Service) -> Image:
        """The service's image, built or pulled when it is missing; once, however many replicas ask at a time."""
        with self._guard:
            lock = self._image_locks.setdefault(service.image, threading.Lock())
        with lock:
            image = self.images.find(service.image)
            if image is not None:
                return image

            def say(line: str) -> None:
                self._progress(service.name, line)

            if service.build is None:
                return self.images.pull(service.image, say)
            return self.images.build(recipe(service.image, service.build), say)

    def stop(self, instance: Instance, grace: float) -> None:
        """A replica that is gone already is stopped. TB-0601 names the one that the engine cannot stop."""
        limit = self.client.deadlines.read + grace
        with self.client.speaking(f"stopping {instance.service} {instance.number}", limit):
            try:
                self.client.reads.stop(instance.id, timeout=math.ceil(grace))
            except NotFound:
                return

    def signal(self, instance: Instance, name: str) -> None:
        doing = f"sending {name} to {instance.service} {instance.number}"
        with self.client.speaking(doing, self.client.deadlines.write):
            self.client.writes.kill(instance.id, name)

    def remove(self, instance: Instance) -> None:
        """Volumes without a name go with the container; named ones stay."""
        with self.client.speaking(f"removing {instance.service} {instance.number}", self.client.deadlines.write):
            try:
                self.client.writes.remove_container(instance.id, v=True)
            except NotFound:
                return
            except APIError as error:
                if "already in progress" not in str(error):
                    raise

    # Looking at them

    def logs(self, query: LogQuery) -> Iterator[LogLine]:
        """Finite logs are merged by time; followed ones come as they come, those of later replicas included."""
        containers = [each for each in self._containers() if selected(query, instance_of(each))]
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
                container = self._inspect(raw["Actor"]["ID"])
                if container is not None and selected(query, instance_of(container)):
                    yield container

    def exec(self, instance: Instance, command: Sequence[str], *, timeout: float | None = 30) -> ExecResult:
        """Output of both streams in the order it came. TB-0601 when the command outlives ``timeout`` seconds."""
        return inside.execute(self.client, instance, command, timeout)

    def attached(self, instance: Instance, command: Sequence[str], *, terminal: bool) -> int:
        """Run a command with this process's own input and output; an empty one is a shell."""
        return attached.attached(self.client, instance, command, terminal=terminal)

    def leftovers(self, stack: Stack, *, images: bool, volumes: bool) -> tuple[Leftover, ...]:
        return Leftovers(self.client, self.project).find(stack, images=images, volumes=volumes)

    def discard(self, leftover: Leftover) -> None:
        Leftovers(self.client, self.project).discard(leftover)

    def stats(self, instances: Sequence[Instance], *, cpu: bool = True) -> tuple[Stats, ...]:
        return self._sampler.sample([one for one in instances if one.state is State.RUNNING], cpu=cpu)

    def events(self, since: datetime | None = None, *, follow: bool = False) -> EventStream:
        """Subscribed when this returns; ``close`` it from any thread to end a follower."""
        return EventStream(self.client, self.project, since=since, follow=follow)

    def endpoint(self, service: str, port: int, number: int = 1) -> Address:
        """The published port, else the container's own address, which only the engine's host reaches."""
        container = next((each for each in self._replicas(service, number) if is_up(each)), None)
        if container is None:
            raise OpsError(
                f"{service} {number} is not running.",
                code="TB-0507",
                hint=f"Start it with `tradebot up`, or see why it stopped: tradebot logs {service}",
            )
        if self.client.location.local:
            return inside.local_address(instance_of(container), container, port)
        return inside.remote_address(instance_of(container), container, port, self.client.location)


def ignore(service: str, line: str) -> None:
    """Progress nobody asked for."""


def is_up(container: Container) -> bool:
    return container["State"]["Status"] in {"running", "restarting", "paused"}


def selected(query: LogQuery, instance: Instance) -> bool:
    return (not query.services or instance.service in query.services) and query.number in {None, instance.number}


def check_sources(stack: Stack, service: Service) -> None:
    """The engine would say which path is missing, but not what it is for."""
    for path, purpose in spec.bind_sources(stack, service).items():
        if not Path(path).exists():
            raise OpsError(
                f"{service.name} needs {path} ({purpose}), which does not exist.",
                code="TB-0824",
                hint="Secrets are made by `tradebot secrets init`, configuration by `tradebot init`.",
            )
