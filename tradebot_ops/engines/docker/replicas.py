"""Makes one replica's container match its description: left alone, started, or made anew."""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from tradebot_ops.docker.client import Client
from tradebot_ops.docker.images import Image, Images, recipe
from tradebot_ops.engines.base import Progress
from tradebot_ops.engines.docker import spec
from tradebot_ops.engines.docker.containers import Container, Containers, is_up, name_of
from tradebot_ops.engines.docker.networks_and_volumes import Ground
from tradebot_ops.engines.docker.observing.observe import replica_of
from tradebot_ops.engines.docker.ports import Ports
from tradebot_ops.engines.docker.single_files import identity
from tradebot_ops.errors import OpsError, PortTaken, Unavailable
from tradebot_ops.progress import ignore_progress
from tradebot_ops.records import ReloadedContainers
from tradebot_ops.stack.model import Service, Stack
from tradebot_ops.state import ProjectState

#: What a replica's successor is called until it takes its place.
NEXT = "-next"
#: States that a container never leaves.
BEYOND_START = frozenset({"dead", "removing"})


class Maker:
    """Safe to call from several threads. ``progress`` hears of images pulled or built and of ports that moved."""

    def __init__(
        self, client: Client, project: str, containers: Containers, images: Images, state: ProjectState, ground: Ground
    ) -> None:
        self.progress: Progress = ignore_progress
        #: Services that would crash for want of a file that they cannot read.
        self.refused: Mapping[str, Unavailable] = {}
        self.ports = Ports(state, client)
        self._client = client
        self._project = project
        self._containers = containers
        self._images = images
        self._state = state
        self._ground = ground
        self._image_locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def make(self, stack: Stack, service: str, number: int) -> str:
        """Returns the id of the container that runs as replica ``number`` now."""
        wanted = stack.services[service]
        if service in self.refused:
            raise self.refused[service]
        if self._client.location.local:
            check_sources(stack, wanted)
        try:
            return self._converge(stack, wanted, number)
        except PortTaken:
            if number != 1 or not self._made_room(wanted):
                raise
            image = self._image(wanted)
            return self._replace(stack, wanted, number, image, self._containers.of_replica(service, number))

    def _made_room(self, service: Service) -> bool:
        """Whether a taken port was freed. Compose lets every replica publish, so a later one may hold it."""
        siblings = [each for each in self._containers.find(f"{spec.SERVICE}={service.name}") if is_up(each)]
        holders = [each for each in siblings if replica_of(each).number != 1 and replica_of(each).published]
        self._containers.end(holders)
        if holders:
            return True
        return self._client.location.local and self.ports.move(service, lambda line: self.progress(service.name, line))

    def _converge(self, stack: Stack, service: Service, number: int) -> str:
        """Start the fitting replica or make one; its id."""
        image = self._image(service)
        existing = self._containers.of_replica(service.name, number)
        fitting = next((each for each in existing if self._fits(each, stack, service, image)), None)
        if fitting is None:
            return self._replace(stack, service, number, image, existing)
        self._containers.end([each for each in existing if each is not fitting])
        self._name(fitting, spec.container_name(self._project, service, number))
        self._start(fitting["Id"], fitting["State"]["Status"], f"{service.name} {number}")
        self._note_contents(fitting, service)
        return str(fitting["Id"])

    def _fits(self, container: Container, stack: Stack, service: Service, image: Image) -> bool:
        """Whether it can stay. Contents matter to one that is started anyway: the new one has the right label."""
        labels = container["Config"].get("Labels") or {}
        same = labels.get(spec.SPEC_HASH) == service.spec_hash and container["Image"] == image.id
        if container["State"]["Status"] in BEYOND_START:
            return False
        attached = container["NetworkSettings"]["Networks"] or {}
        if spec.detached_from(stack, service, attached, self._ground.network_ids()):
            return False
        return same and (is_up(container) or labels.get(spec.CONTENT_HASH) == service.content_hash)

    def _note_contents(self, container: Container, service: Service) -> None:
        labels = container["Config"].get("Labels") or {}
        with self._guard:
            known = self._state.load(ReloadedContainers).hashes
            if known.get(container["Id"], labels.get(spec.CONTENT_HASH)) != service.content_hash:
                self._state.store(ReloadedContainers({**known, container["Id"]: service.content_hash}))

    def _replace(self, stack: Stack, service: Service, number: int, image: Image, existing: Sequence[Container]) -> str:
        """Create first, so that what cannot be created costs nothing; then remove the old one and start the new."""
        name = spec.container_name(self._project, service, number)
        # A command that was killed in between may have left its successor behind.
        self._containers.end([each for each in existing if name_of(each) == f"{name}{NEXT}"])
        existing = [each for each in existing if name_of(each) != f"{name}{NEXT}"]
        # Where the old one does not have the name, a stranger may: then creating fails before anything is removed.
        first = f"{name}{NEXT}" if any(name_of(each) == name for each in existing) else name
        made = self._create(stack, service, number, image, first)
        self._containers.end(existing)
        self._name({"Id": made, "Name": first}, name)
        self._start(made, "created", f"{service.name} {number}")
        return made

    def _name(self, container: Container, name: str) -> None:
        if name_of(container) == f"{name}{NEXT}":
            with self._client.translating_errors(f"naming {name}", self._client.deadlines.write):
                self._client.writes.rename(container["Id"], name)

    def _create(self, stack: Stack, service: Service, number: int, image: Image, name: str) -> str:
        files = identity(stack, service) if self._client.location.local else ""
        target = spec.Target(self._client.version, image.id, files)
        config = spec.container_config(stack, self.ports.settled(service), number, target)
        with self._client.translating_errors(f"creating {name}", self._client.deadlines.write):
            answer = self._client.writes.create_container_from_config(config, name)  # type: ignore[no-untyped-call]
            made = str(answer["Id"])
            for network, endpoint in spec.networks(stack, service, number).items():
                if network not in config["NetworkingConfig"]["EndpointsConfig"]:
                    self._client.writes.connect_container_to_network(made, network, aliases=endpoint["Aliases"])
        return made

    def _start(self, container: str, status: str, what: str) -> None:
        with self._client.translating_errors(f"starting {what}", self._client.deadlines.write):
            if status == "paused":
                self._client.writes.unpause(container)
            elif status not in {"running", "restarting"}:
                self._client.writes.start(container)

    def _image(self, service: Service) -> Image:
        """The service's image, built or pulled when it is missing; once, however many replicas ask at a time."""
        with self._guard:
            lock = self._image_locks.setdefault(service.image, threading.Lock())
        with lock:
            image = self._images.find(service.image)
            if image is not None:
                return image

            def say(line: str) -> None:
                self.progress(service.name, line)

            if service.build is None:
                return self._images.pull(service.image, say)
            return self._images.build(recipe(service.image, service.build), say)


def check_sources(stack: Stack, service: Service) -> None:
    """The engine would say which path is missing, but not what it is for."""
    for path, purpose in spec.bind_sources(stack, service).items():
        if not Path(path).exists():
            raise OpsError(
                f"{service.name} needs {path} ({purpose}), which does not exist.",
                code="TB-0824",
                hint="Secrets are made by `tradebot up`, configuration by `tradebot init`.",
            )
