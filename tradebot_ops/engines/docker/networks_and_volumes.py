"""Needs of the containers of one project: its networks and its named volumes."""

from collections.abc import Mapping
from typing import Any

from docker.errors import NotFound

from tradebot_ops.docker.client import Client
from tradebot_ops.engines.docker.spec import PROJECT
from tradebot_ops.errors import OpsError
from tradebot_ops.stack.model import Network, Stack, Volume


class Ground:
    """Makes and removes networks and volumes; they carry Compose's labels, external ones are left alone."""

    def __init__(self, client: Client, project: str) -> None:
        self.client = client
        self.project = project
        self._ids: dict[str, str] | None = None

    def prepare(self, stack: Stack) -> None:
        """Make what is missing. TB-0822 when another project owns the name, TB-0827 for a missing external."""
        there = {network["Name"]: network for network in self._networks()}
        self._ids = {name: network["Id"] for name, network in there.items()}
        for key, network in stack.networks.items():
            if network.name in there:
                self._accept(there[network.name], network)
            elif network.external:
                raise missing_external("network", network.name)
            elif key != "default" or any("default" in service.networks for service in stack.services.values()):
                self._create_network(key, network)
        mounted = {mount.source for service in stack.services.values() for mount in service.mounts}
        for key, volume in stack.volumes.items():
            if key in mounted and not self._has_volume(volume.name):
                if volume.external:
                    raise missing_external("volume", volume.name)
                self._create_volume(key, volume)

    def network_ids(self) -> Mapping[str, str]:
        """Id of each network by its name, as of ``prepare``, else as of the first call."""
        if self._ids is None:
            self._ids = {network["Name"]: network["Id"] for network in self._networks()}
        return self._ids

    def _networks(self) -> list[dict[str, Any]]:
        with self.client.translating_errors("listing networks", self.client.deadlines.read):
            return list(self.client.reads.networks())

    def _accept(self, found: Mapping[str, Any], network: Network) -> None:
        owner = (found.get("Labels") or {}).get(PROJECT, "")
        if owner != self.project and not network.external:
            whose = f"the project '{owner}'" if owner else "nobody tradebot knows"
            raise OpsError(
                f"The network {network.name} exists already and belongs to {whose}.",
                code="TB-0822",
                hint=f"Choose another project name, or remove it: docker network rm {network.name}",
            )

    def _create_network(self, key: str, network: Network) -> None:
        with self.client.translating_errors(f"creating the network {network.name}", self.client.deadlines.write):
            made = self.client.writes.create_network(
                network.name,
                driver=network.driver or "bridge",
                internal=network.internal,
                check_duplicate=True,
                labels={PROJECT: self.project, "com.docker.compose.network": key},
            )
        self._ids = {**self.network_ids(), network.name: made["Id"]}

    def _has_volume(self, name: str) -> bool:
        with self.client.translating_errors(f"looking for the volume {name}", self.client.deadlines.read):
            try:
                self.client.reads.inspect_volume(name)
            except NotFound:
                return False
            return True

    def _create_volume(self, key: str, volume: Volume) -> None:
        with self.client.translating_errors(f"creating the volume {volume.name}", self.client.deadlines.write):
            self.client.writes.create_volume(
                volume.name,
                driver=volume.driver or "local",
                labels={PROJECT: self.project, "com.docker.compose.volume": key},
            )

    def destroy(self, *, volumes: bool) -> tuple[str, ...]:
        """Remove the project's networks, with ``volumes`` its volumes too; returns the names of what went."""
        gone: list[str] = []
        for network in self._networks():
            if (network.get("Labels") or {}).get(PROJECT) == self.project:
                with self.client.translating_errors(
                    f"removing the network {network['Name']}", self.client.deadlines.write
                ):
                    self.client.writes.remove_network(network["Id"])
                gone.append(network["Name"])
        for name in self._volumes() if volumes else ():
            with self.client.translating_errors(f"removing the volume {name}", self.client.deadlines.write):
                self.client.writes.remove_volume(name)
            gone.append(name)
        return tuple(gone)

    def _volumes(self) -> list[str]:
        with self.client.translating_errors("listing volumes", self.client.deadlines.read):
            answer = self.client.reads.volumes(filters={"label": f"{PROJECT}={self.project}"})
        return sorted(volume["Name"] for volume in answer["Volumes"] or ())


def missing_external(kind: str, name: str) -> OpsError:
    return OpsError(
        f"The external {kind} {name} does not exist.",
        code="TB-0827",
        hint=f"Create it with `docker {kind} create {name}`, or correct compose.yaml.",
    )
