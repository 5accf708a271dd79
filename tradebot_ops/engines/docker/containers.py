"""The containers of one project: found by Compose's labels, stopped, removed."""

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from docker.errors import APIError, NotFound

from tradebot_ops.docker.client import Client
from tradebot_ops.engines.docker import spec

#: The engine serialises most of what it does; more threads than this gain nothing.
THREADS = 8
#: An engine was seen to deadlock while stopping ten containers at once.
PARALLEL_STOPS = 8

Container = dict[str, Any]
#: The engine's own, for a container that does not say.
USUAL_GRACE = 10.0


class Containers:
    """Finds, stops and removes. What the engine says of a container is passed on as it is."""

    def __init__(self, client: Client, project: str) -> None:
        self._client = client
        self._project = project

    def listed(self, *labels: str, one_offs: bool = False) -> Sequence[Container]:
        """Containers of the project as the engine lists them: less than inspected, and one question for all."""
        replicas = () if one_offs else (f"{spec.ONE_OFF}=False",)
        wanted = [f"{spec.PROJECT}={self._project}", *replicas, *labels]
        with self._client.translating_errors("listing containers", self._client.deadlines.read):
            found: Sequence[Container] = self._client.reads.containers(all=True, filters={"label": wanted})
        return found

    def find(self, *labels: str, one_offs: bool = False) -> Sequence[Container]:
        """Those with these labels besides the project's; one that vanishes meanwhile is left out."""
        ids = [item["Id"] for item in self.listed(*labels, one_offs=one_offs)]
        if len(ids) <= 2:
            inspected = [self.inspect(each) for each in ids]
        else:
            with ThreadPoolExecutor(min(THREADS, len(ids))) as pool:
                inspected = [*pool.map(self.inspect, ids)]
        return [container for container in inspected if container is not None]

    def of_replica(self, service: str, number: int) -> Sequence[Container]:
        return self.find(f"{spec.SERVICE}={service}", f"{spec.NUMBER}={number}")

    def inspect(self, container: str) -> Container | None:
        """None when there is no such container any more."""
        with self._client.translating_errors(f"inspecting the container {container[:12]}", self._client.deadlines.read):
            try:
                found: Container = self._client.reads.inspect_container(container)
            except NotFound:
                return None
            return found

    def stop(self, container: str, name: str, grace: float) -> None:
        """One that is gone already is stopped. TB-0601 names what the engine cannot stop."""
        with self._client.translating_errors(f"stopping {name}", self._client.deadlines.read + grace):
            try:
                self._client.reads.stop(container, timeout=math.ceil(grace))
            except NotFound:
                return

    def remove(self, container: str, name: str) -> None:
        """Volumes without a name go with the container; named ones stay."""
        with self._client.translating_errors(f"removing {name}", self._client.deadlines.write):
            try:
                self._client.writes.remove_container(container, v=True)
            except NotFound:
                return
            except APIError as error:
                if "already in progress" not in str(error):
                    raise

    def end(self, containers: Sequence[Container]) -> None:
        """Stop and remove them."""
        if containers:
            with ThreadPoolExecutor(min(PARALLEL_STOPS, len(containers))) as pool:
                list(pool.map(self._end, containers))

    def _end(self, container: Container) -> None:
        name = called(container)
        if is_up(container):
            self.stop(container["Id"], name, stop_grace(container["Config"]))
        self.remove(container["Id"], name)


def stop_grace(config: Mapping[str, Any]) -> float:
    """Seconds between the stop signal and the kill; 0 is a value, too."""
    seconds = config.get("StopTimeout")
    return USUAL_GRACE if seconds is None else float(seconds)


def called(container: Container) -> str:
    """``worker 2``, as messages call it."""
    labels = container["Config"].get("Labels") or {}
    return f"{labels.get(spec.SERVICE, name_of(container))} {labels.get(spec.NUMBER, '')}".strip()


def name_of(container: Container) -> str:
    return str(container["Name"]).lstrip("/")


def is_up(container: Container) -> bool:
    return container["State"]["Status"] in {"running", "restarting", "paused"}
