"""Which ports of the stack this host shows, to whom, and what strangers get there: tried, not only read."""

from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from tradebot_ops.clients import probe
from tradebot_ops.context import Ops
from tradebot_ops.engines.inspection import EngineInfo, Inspected
from tradebot_ops.engines.processes import trees
from tradebot_ops.facts import engine
from tradebot_ops.facts.fact import NotApplicable, Skip, fact
from tradebot_ops.facts.replicas import containers

#: Where each of these shows something only to whom it knows.
LOCKED = {"prometheus": (9090, "/api/v1/status/config"), "alertmanager": (9093, "/api/v2/status"),
          "grafana": (3000, "/api/org")}  # fmt: skip
#: Addresses with their ports.
Addresses = set[tuple[str, int]]


@dataclass(frozen=True)
class Shown:
    """A port that a replica shows on this host. ``published`` is False for one that only listens, as processes must.

    ``reached`` are addresses of this host, other than loopback, where a connection succeeded.
    """

    service: str
    replica: str
    target: int
    address: str
    port: int
    published: bool = True
    reached: tuple[str, ...] = ()

    @property
    def beyond_loopback(self) -> bool:
        return bool(self.reached) or not loopback(self.address)


@dataclass(frozen=True)
class Seen:
    """``own`` are the addresses that were connected from; empty where the engine is another host's."""

    ports: tuple[Shown, ...]
    own: tuple[str, ...]


@dataclass(frozen=True)
class Door:
    """The HTTP status without credentials."""

    service: str
    url: str
    status: int
    beyond_loopback: bool


@fact(seconds=20, of=(containers.replicas, engine.info))
def seen(ops: Ops, replicas: tuple[Inspected, ...], info: EngineInfo) -> Seen:
    """Every published port, and every other one on which a process listens; each connected to from outside loopback."""
    running = [replica for replica in replicas if replica.status == "running"]
    listening = _listening({each.pid for each in running if each.pid and not each.contained})
    found = [each for replica in running for each in _shown(replica, listening)]
    own = _own_addresses() if info.on_this_host else ()
    with ThreadPoolExecutor(16) as pool:
        return Seen(tuple(pool.map(lambda each: _tried(each, own), found)), own)


def _shown(replica: Inspected, listening: Mapping[int, Addresses]) -> Iterable[Shown]:
    published = [
        Shown(replica.service, replica.label, each.target, each.host_ip, each.port) for each in replica.bindings
    ]
    known = {each.port for each in published}
    yield from published
    if not replica.contained and replica.pid:
        for address, port in sorted(listening[replica.pid]):
            if port not in known:
                yield Shown(replica.service, replica.label, port, address, port, published=False)
            elif not loopback(address) and all(loopback(each.address) for each in published if each.port == port):
                yield Shown(replica.service, replica.label, port, address, port)


def _listening(pids: Collection[int]) -> dict[int, Addresses]:
    """Of each process and its descendants, as the kernel has it; asked once for all.

    Of another user's process the kernel shows nothing: connecting shows more than reading.
    """
    import psutil

    if not pids:
        return {}
    open_: dict[int | None, Addresses] = {}
    for each in psutil.net_connections("tcp"):
        if each.status == psutil.CONN_LISTEN:
            local: Any = each.laddr  # of a socket that listens, never empty
            open_.setdefault(each.pid, set()).add((local.ip, local.port))
    found = trees(pids)
    return {pid: {address for each in found[pid] for address in open_.get(each.pid, ())} for pid in pids}


def _own_addresses() -> tuple[str, ...]:
    """Of this host, without loopback and those that hold on one link alone."""
    import psutil

    found = {each.address for addresses in psutil.net_if_addrs().values() for each in addresses if _is_ip(each.address)}
    return tuple(
        sorted(address for address in found if not loopback(address) and not ip_address(address).is_link_local)
    )


def _is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _tried(each: Shown, own: tuple[str, ...]) -> Shown:
    reached = tuple(address for address in own if probe.connects(address, each.port))
    return Shown(each.service, each.replica, each.target, each.address, each.port, each.published, reached)


def loopback(address: str) -> bool:
    return _is_ip(address) and ip_address(address).is_loopback


@fact(seconds=15, of=(seen,))
def doors(ops: Ops, seen: Seen) -> tuple[Door, ...]:
    """Prometheus, Alertmanager and Grafana asked without credentials, where they run."""
    chosen = [name for name in LOCKED if name in ops.stack.services and name not in ops.unavailable]
    if not chosen:
        raise NotApplicable(Skip.PROFILE, "Neither Prometheus, Alertmanager nor Grafana is part of this stack here.")
    return tuple(_door(ops, name, seen) for name in chosen)


def _door(ops: Ops, service: str, seen: Seen) -> Door:
    port, path = LOCKED[service]
    address = ops.engine.endpoint(service, port)
    wide = any(each.service == service and each.beyond_loopback for each in seen.ports)
    status = probe.status(address.host, address.port, path, trust=ops.trust(service))
    return Door(service, f"{ops.url(service, address)}{path}", status, wide)
