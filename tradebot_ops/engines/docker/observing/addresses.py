"""The addresses that the ports of a container have for this host."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from tradebot_ops.docker.locate import Location
from tradebot_ops.engines.base import Address, Replica
from tradebot_ops.errors import NoAddress, Unsupported

LOOPBACK = "127.0.0.1"
EVERYWHERE = {"", "0.0.0.0", "::"}  # noqa: S104 - compared with, not bound to


def local_address(replica: Replica, container: Mapping[str, Any], port: int) -> Address:
    """The published port of an engine on this host, else the container's own address."""
    for published in replica.published:
        if published.target == port:
            return published.address
    known = (container.get("Config") or {}).get("ExposedPorts") or {}
    if known and f"{port}/tcp" not in known:
        raise NoAddress(
            f"{replica.service} {replica.number} does not listen on port {port}.",
            code="TB-0507",
            hint=f"Its ports are: {', '.join(sorted(name.partition('/')[0] for name in known))}.",
        )
    networks = (container.get("NetworkSettings") or {}).get("Networks") or {}
    for network in networks.values():
        if address := network.get("IPAddress"):
            return Address(address, port)
    if (container.get("HostConfig") or {}).get("NetworkMode") == "host":
        return Address(LOOPBACK, port)
    raise NoAddress(
        f"{replica.name} has no network address yet.",
        code="TB-0507",
        hint=f"Look whether it runs: docker inspect {replica.name}",
    )


def remote_address(replica: Replica, container: Mapping[str, Any], port: int, location: Location) -> Address:
    """The published port of an engine elsewhere, if it is bound to an address that this host can reach."""
    host = urlsplit(location.host).hostname or ""
    ports = (container.get("NetworkSettings") or {}).get("Ports") or {}
    for binding in ports.get(f"{port}/tcp") or ():
        if binding["HostIp"] in EVERYWHERE:
            return Address(host, int(binding["HostPort"]))
        if binding["HostIp"] != LOOPBACK:
            return Address(binding["HostIp"], int(binding["HostPort"]))
    raise Unsupported(
        f"Port {port} of {replica.service} cannot be reached from here: the engine runs on {host}.",
        hint=f"Run tradebot there (`ssh {host} tradebot …`), or publish the port on an address this host reaches.",
    )
