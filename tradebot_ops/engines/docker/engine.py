"""The Docker engine: makes containers, networks and volumes of one project match its stack."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

from docker.errors import APIError, NotFound

from tradebot_ops.engines.base import (
    Address,
    Event,
    ExecResult,
    Instance,
    LogLine,
    LogQuery,
    Progress,
    State,
    Stats,
)
from tradebot_ops.engines.docker import spec
from tradebot_ops.engines.docker.client import Client, Deadlines
from tradebot_ops.engines.docker.events import EventStream, project_filter
from tradebot_ops.engines.docker.images import Image, Images, recipe
from tradebot_ops.engines.docker.locate import Location
from tradebot_ops.engines.docker.logs import Follower, merged
from tradebot_ops.engines.docker.observe import instance_of
from tradebot_ops.engines.docker.sampling import Sampler
from tradebot_ops.errors import OpsError, Unsupported
from tradebot_ops.stack.model import Service, Stack

#: The engine serialises most of what it does; more threads than this gain nothing.
THREADS = 8

Container = dict[str, Any]


class DockerEngine:
    """Keeps ``tradebot_ops.engines.base.Engine`` for one project on one Docker engine."""

    name = "docker"

    def __init__(self, project: str, location: Location, deadlines: Deadlines | None = None) -> None:
        self.project = project
        self.client = Client(location, deadlines)
        self.images = Images(self.client)
        self._progress: Progress = ignore
        self._image_locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()
        self._sampler = Sampler(self.client)

    # What replicas stand on

    def prepare(self, stack: Stack, progress: Progress) -> None:
        """Networks and volumes; ``progress`` is also told about images that ``apply`` pulls or builds."""
        self._progress = progress
        networks = {network["Name"]: network for network in self._networks()}
        for key, network in stack.networks.items():
            name = spec.network_name(stack, key)
            if name in networks:
                self._accept_network(networks[name])
            elif network.external:
                raise missing_external("network", name)
            else:
                self._create_network(stack, key, name)
        for key, volume in stack.volumes.items():
            name = spec.volume_name(stack, key)
            if not self._has_volume(name):
                if volume.external:
                    raise missing_external("volume", name)
                self._create_volume(stack, key, name)

    def _networks(self) -> list[dict[str, Any]]:
        with self.client.speaking("listing networks", self.client.deadlines.read):
            return list(self.client.reads.networks())

    def _accept_network(self, network: Mapping[str, Any]) -> None:
        owner = (network.get("Labels") or {}).get(spec.PROJECT, "")
        if owner and owner != self.project:
            raise OpsError(
                f"The network {network['Name']} belongs to the project '{owner}'.",
                code="TB-0822",
                hint="Choose another project name, or declare the network `external: true`.",
            )

    def _create_network(self, stack: Stack, key: str, name: str) -> None:
        network = stack.networks[key]
        with self.client.speaking(f"creating the network {name}", self.client.deadlines.write):
            self.client.writes.create_network(
                name,
                driver=network.driver or "bridge",
                internal=network.internal,
                check_duplicate=True,
                labels={**spec.project_labels(stack), "com.docker.compose.network": key},
            )

    def _has_volume(self, name: str) -> bool:
        with self.client.speaking(f"looking for the volume {name}", self.client.deadlines.read):
            try:
                self.client.reads.inspect_volume(name)
            except NotFound:
                return False
            return True

    def _create_volume(self, stack: Stack, key: str, name: str) -> None:
        with self.client.speaking(f"creating the volume {name}", self.client.deadlines.write):
            self.client.writes.create_volume(
                name,
                driver=stack.volumes[key].driver or "local",
                labels={**spec.project_labels(stack), "com.docker.compose.volume": key},
            )

    def destroy(self, stack: Stack | None, *, volumes: bool) -> tuple[str, ...]:  # noqa: ARG002 - labels tell
        """Remove the project's networks, with ``volumes`` its volumes too; external ones carry no label and stay."""
        gone: list[str] = []
        for network in self._networks():
            if (network.get("Labels") or {}).get(spec.PROJECT) == self.project:
                with self.client.speaking(f"removing the network {network['Name']}", self.client.deadlines.write):
                    self.client.writes.remove_network(network["Id"])
                gone.append(network["Name"])
        if volumes:
            for name in self._volumes():
                with self.client.speaking(f"removing the volume {name}", self.client.deadlines.write):
                    self.client.writes.remove_volume(name)
                gone.append(name)
        return tuple(gone)

    def _volumes(self) -> list[str]:
        with self.client.speaking("listing volumes", self.client.deadlines.read):
            answer = self.client.reads.volumes(filters={"label": f"{spec.PROJECT}={self.project}"})
        return sorted(volume["Name"] for volume in answer["Volumes"] or ())

    # Replicas

    def list(self) -> tuple[Instance, ...]:
        """Every replica of the project, whoever started it: Compose's own containers are found, too."""
        containers = self._containers()
        moved = self._moved_images(containers)
        found = [instance_of(container, moved) for container in containers]
        return tuple(sorted(found, key=lambda instance: (instance.service, instance.number)))

    def _containers(self, *labels: str) -> list[Container]:
        wanted = [f"{spec.PROJECT}={self.project}", f"{spec.ONE_OFF}=False", *labels]
        with self.client.speaking("listing containers", self.client.deadlines.read):
            ids = [item["Id"] for item in self.client.reads.containers(all=True, filters={"label": wanted})]
        if len(ids) < 4:
            inspected = map(self._inspect, ids)
        else:
            with ThreadPoolExecutor(THREADS) as pool:
                inspected = iter(list(pool.map(self._inspect, ids)))
        return [container for container in inspected if container is not None]

    def _inspect(self, container: str) -> Container | None:
        with self.client.speaking(f"inspecting the container {container[:12]}", self.client.deadlines.read):
            try:
                found: Container = self.client.reads.inspect_container(container)
            except NotFound:
                return None
            return found

    def _moved_images(self, containers: Sequence[Container]) -> frozenset[str]:
        """Image names that were rebuilt or pulled anew since a container was made of them."""
        used = {(container["Config"]["Image"], container["Image"]) for container in containers}
        current = {name: self.images.find(name) for name, _ in used}
        return frozenset(name for name, made_of in used if (image := current[name]) and image.id != made_of)

    def apply(self, stack: Stack, service: str, number: int) -> Instance:
        """Start the replica that is there when nothing about it changed, else make it anew."""
        wanted = stack.services[service]
        if self.client.location.local:
            check_sources(stack, wanted)
        image = self._image(wanted)
        existing = self._replicas(service, number)
        fitting = [each for each in existing if fits(each, wanted, image)]
        if fitting:
            container = fitting[0]
            self._clear([each for each in existing if each is not container], wanted)
            self._start(container["Id"], container["State"]["Status"], service, number)
        else:
            container = self._replace(stack, wanted, number, image, existing)
        found = self._inspect(container["Id"])
        if found is None:
            raise OpsError(f"{service} {number} was removed while it was being started.", code="TB-0101")
        return instance_of(found)

    def _replicas(self, service: str, number: int) -> list[Container]:
        return self._containers(f"{spec.SERVICE}={service}", f"{spec.NUMBER}={number}")

    def _replace(
        self, stack: Stack, service: Service, number: int, image: Image, existing: Sequence[Container]
    ) -> Container:
        """Create first, so that what cannot be created costs nothing; then stop the old one and start the new."""
        name = spec.container_name(self.project, service.name, number)
        made = self._create(stack, service, number, image, f"{name}-next" if existing else name)
        self._clear(existing, service)
        if existing:
            with self.client.speaking(f"naming {name}", self.client.deadlines.write):
                self.client.writes.rename(made, name)
        self._start(made, "created", service.name, number)
        return {"Id": made}

    def _create(self, stack: Stack, service: Service, number: int, image: Image, name: str) -> str:
        config = spec.container_config(stack, service, number, spec.Target(self.client.version, image.id))
        with self.client.speaking(f"creating {name}", self.client.deadlines.write):
            made = str(self.client.writes.create_container_from_config(config, name)["Id"])
            for network, endpoint in spec.later_networks(stack, service, number, self.client.version).items():
                self.client.writes.connect_container_to_network(made, network, aliases=endpoint["Aliases"])
        return made

    def _clear(self, containers: Sequence[Container], service: Service) -> None:
        for container in containers:
            old = instance_of(container)
            if old.state is not State.CREATED:
                self.stop(old, service.stop_grace)
            self.remove(old)

    def _start(self, container: str, status: str, service: str, number: int) -> None:
        with self.client.speaking(f"starting {service} {number}", self.client.deadlines.write):
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
        """A replica that is gone already is stopped. TB-0601 when the engine does not finish in time."""
        limit = self.client.deadlines.write + grace
        with self.client.speaking(f"stopping {instance.service} {instance.number}", limit):
            try:
                self.client.writes.stop(instance.id, timeout=round(grace))
            except NotFound:
                return

    def signal(self, instance: Instance, name: str) -> None:
        with self.client.speaking(f"sending {name} to {instance.service} {instance.number}"):
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

    # Looking inside

    def logs(self, query: LogQuery) -> Iterator[LogLine]:
        containers = [each for each in self._containers() if selected(query, instance_of(each))]
        if not query.follow:
            return merged(self.client, containers, query)
        follower = Follower(self.client, query)
        # Subscribed before the first line is read: what starts meanwhile is not missed.
        starts = EventStream(self.client, self.project, follow=True)
        for container in containers:
            follower.add(container)
        follower.watch(self._started(starts, query))
        return iter(follower)

    def _started(self, events: EventStream, query: LogQuery) -> Iterator[Container]:
        for raw in events.raw():
            if raw["Action"] == "start":
                container = self._inspect(raw["Actor"]["ID"])
                if container is not None and selected(query, instance_of(container)):
                    yield container

    def exec(self, instance: Instance, command: Sequence[str], *, timeout: float | None = 30) -> ExecResult:
        """Output of both streams in the order it came. TB-0602 when the command outlives ``timeout`` seconds."""
        doing = f"running {command[0]} in {instance.service} {instance.number}"
        with self.client.speaking(doing, self.client.deadlines.read):
            made = self.client.writes.exec_create(instance.id, list(command))["Id"]
        output = run_with_deadline(lambda: self._exec_output(doing, made), timeout, doing)
        with self.client.speaking(doing, self.client.deadlines.read):
            code = self.client.reads.exec_inspect(made)["ExitCode"]
        return ExecResult(int(code if code is not None else -1), output.decode("utf-8", "replace"))

    def _exec_output(self, doing: str, made: str) -> bytes:
        with self.client.speaking(doing):
            return bytes(self.client.streams.exec_start(made))

    def stats(self, instances: Sequence[Instance]) -> tuple[Stats, ...]:
        return self._sampler.sample([instance for instance in instances if instance.state is State.RUNNING])

    def events(self, since: datetime | None = None, *, follow: bool = False) -> EventStream:
        """Subscribed when this returns; ``close`` it from any thread to end a follower."""
        return EventStream(self.client, self.project, since=since, follow=follow)

    def endpoint(self, service: str, port: int, number: int = 1) -> Address:
        """The published port, else the container's own address, which only this host reaches."""
        container = next(iter(self._replicas(service, number)), None)
        if container is None or container["State"]["Status"] != "running":
            raise OpsError(
                f"{service} {number} is not running.",
                code="TB-0501",
                hint="Start it with `tradebot up`, or see why it stopped: `tradebot logs " + service + "`",
            )
        if self.client.location.local:
            return local_address(instance_of(container), container, port)
        return remote_address(instance_of(container), port, self.client.location)


def ignore(service: str, line: str) -> None:
    """Progress nobody asked for."""


def fits(container: Mapping[str, Any], service: Service, image: Image) -> bool:
    labels = container["Config"].get("Labels") or {}
    return labels.get(spec.SPEC_HASH) == service.spec_hash and container["Image"] == image.id


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


def missing_external(kind: str, name: str) -> OpsError:
    return OpsError(
        f"The external {kind} {name} does not exist.",
        code="TB-0827",
        hint=f"Create it with `docker {kind} create {name}`, or correct compose.yaml.",
    )


def run_with_deadline[T](work: object, timeout: float | None, doing: str) -> T: ...
