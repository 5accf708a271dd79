"""From the stack's description to what one replica is on this host."""

import sys
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tradebot_ops import units
from tradebot_ops.engines.base import Address
from tradebot_ops.engines.local import rewrite
from tradebot_ops.engines.local.launching.program import LocalReplica, Program, Say
from tradebot_ops.engines.local.layout import MARK, Layout
from tradebot_ops.engines.local.ports import Wish
from tradebot_ops.engines.local.programs import program_for
from tradebot_ops.engines.local.records import Record, reachable
from tradebot_ops.engines.local.rewrite import Places
from tradebot_ops.errors import OpsError
from tradebot_ops.stack.model import MountKind, Service, Stack
from tradebot_ops.text.labels import label
from tradebot_ops.text.signals import signal_name, signal_number

#: What a replica takes over from this command's environment; all else comes from the description.
_INHERITED = (
    "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
    "http_proxy", "https_proxy", "no_proxy",
)  # fmt: skip
_LOOPBACK = "127.0.0.1"


def _silent(_line: str) -> None:
    """Nobody waits for a word."""


@dataclass(frozen=True)
class Described:
    """A record ready to be written, and the program that knows how to prepare it."""

    record: Record
    replica: LocalReplica
    program: Program


def words(service: Service) -> tuple[str, ...]:
    """The command with its entrypoint; ``OpsError`` TB-0834 when there is none."""
    found = (*(service.entrypoint or ()), *service.command)
    if not found:
        raise OpsError(
            f"The service {service.name} has no command, and without Docker there is no image to take it from.",
            code="TB-0834",
            hint=f"Write services.{service.name}.command in compose.yaml, program first.",
        )
    return found


def program_of(service: Service) -> Program:
    return program_for(words(service)[0])


def ports_of(stack: Stack, service: Service) -> tuple[int, ...]:
    """Every port of the service that it publishes, exposes or listens on, or that another service names."""
    found = {port.target for port in service.ports} | set(service.expose)
    found |= rewrite.own_ports(_texts(service))
    if service.probe:
        found.add(service.probe.port)
    for other in stack.services.values():
        found |= {port for _, port in rewrite.referred_ports(_texts(other), (service.name,))}
    return tuple(sorted(found))


def wishes(stack: Stack, service: Service, number: int) -> Iterator[Wish]:
    """The ports one replica needs; only the first replica has the published ones."""
    published = {port.target: port for port in service.ports}
    for target in ports_of(stack, service):
        port = published.get(target)
        if port is None:
            yield Wish(service.name, number, target, private_port(stack.project, service.name, target), _LOOPBACK)
        elif number > 1:
            yield Wish(service.name, number, target, replica_port(stack.project, target), port.host_ip)
        else:
            yield Wish(
                service.name,
                number,
                target,
                port.published,
                port.host_ip,
                port.explicit and port.published > 0,
            )


def private_port(project: str, service: str, target: int) -> int:
    """Where to look first for a port that nobody publishes: a place of each project's own.

    Projects that start at once would otherwise all find Postgres' 5432 free, and one would then talk to the
    other's database. Below 32768, so that no outgoing connection takes it in between.
    """
    return 20000 + zlib.crc32(f"{project}/{service}/{target}".encode()) % 12000


def replica_port(project: str, target: int) -> int:
    """Where replicas beyond the first begin to look: 9091 becomes 19091 or a little more, project by project."""
    return target + 10000 + zlib.crc32(project.encode()) % 800 * 10


def describe(
    stack: Stack,
    service: Service,
    number: int,
    *,
    layout: Layout,
    ports: Mapping[str, Mapping[str, int]],
    environ: Mapping[str, str],
    say: Say = _silent,
) -> Described:
    """Description of replica ``number`` on this host. ``ports`` holds all assigned ones: replica → target → local."""
    name = label(service.name, number)
    own = {int(target): local for target, local in ports.get(name, {}).items()}
    refers = _refers(stack, service, ports)
    listen = listens(service)
    hosts = {host: reachable(listens(stack.services[host])) for host, _ in refers}
    extra = _extra(service)
    places = Places(
        services=extra | {key: str(Address(hosts[key[0]], local)) for key, local in refers.items()},
        own={target: str(Address(listen, local)) for target, local in own.items()},
        paths=_paths(stack, service, number, layout),
    )
    replica = LocalReplica(
        stack=stack,
        service=service,
        number=number,
        argv=tuple(rewrite.localise(word, places) for word in words(service)),
        environ=_environ(service, number, places, environ, layout),
        ports=own,
        paths=places.paths,
        listen=listen,
        layout=layout,
        rewrite=lambda text: rewrite.localise(text, places),
        host=environ,
        say=say,
    )
    program = program_of(service)
    return Described(_record(replica, program, refers, hosts), replica, program)


def _extra(service: Service) -> dict[tuple[str, int], str]:
    """Addresses by the names that ``extra_hosts`` gives; the host that a container asks its gateway for is this one."""
    known = {name: _LOOPBACK if to == "host-gateway" else to for name, to in service.host.extra_hosts.items()}
    named = rewrite.referred_ports(_texts(service), known)
    return {(name, port): str(Address(known[name], port)) for name, port in named}


def without_meaning(service: Service) -> tuple[str, ...]:
    """Keys of the description that say nothing to a process of this host."""
    host = service.host
    given = {"ulimits": host.ulimits, "shm_size": host.shm_size, "tty": host.tty, "stdin_open": host.stdin_open}
    return tuple(key for key, value in given.items() if value)


def listens(service: Service) -> str:
    """The address that the processes of a service listen on."""
    return next((port.host_ip for port in service.ports), _LOOPBACK)


def _record(
    replica: LocalReplica, program: Program, refers: Mapping[tuple[str, int], int], hosts: Mapping[str, str]
) -> Record:
    service = replica.service
    launch = program.launch(replica)
    kept = service.logging.options
    return Record(
        service=service.name,
        number=replica.number,
        spec_hash=service.spec_hash,
        content_hash=service.content_hash,
        image=service.image,
        argv=launch.argv,
        environ={**replica.environ, **launch.environ},
        folder=str(launch.folder),
        restart=service.restart,
        one_shot=service.one_shot,
        stop_signal=launch.stop_signal
        if service.stop_signal == "SIGTERM" and launch.stop_signal
        else signal_name(signal_number(service.stop_signal)),
        stop_grace=service.stop_grace,
        log_size=units.size(kept.get("max-size", "10m")),
        log_files=int(kept.get("max-file", "3")),
        listen=replica.listen,
        ports={str(target): local for target, local in replica.ports.items()},
        published=tuple(port.target for port in service.ports),
        refers={f"{host}:{port}": local for (host, port), local in refers.items()},
        hosts={name: host for name, host in hosts.items() if host != _LOOPBACK},
        paths=dict(replica.paths),
    )


def _refers(stack: Stack, service: Service, ports: Mapping[str, Mapping[str, int]]) -> dict[tuple[str, int], int]:
    texts = (*_texts(service), *program_of(service).texts(service))
    named = rewrite.referred_ports(texts, stack.services)
    return {
        (host, port): ports[label(host, 1)][str(port)]
        for host, port in sorted(named)
        if str(port) in ports.get(label(host, 1), {})
    }


def _environ(
    service: Service, number: int, places: Places, environ: Mapping[str, str], layout: Layout
) -> dict[str, str]:
    inherited = {key: environ[key] for key in _INHERITED if key in environ}
    name = label(service.name, number)
    # First the folder of this interpreter: commands installed beside it are the stack's own.
    path = f"{Path(sys.executable).parent}:{environ.get('PATH', '/usr/local/bin:/usr/bin:/bin')}"
    described = {key: rewrite.localise(value, places) for key, value in service.environment.items()}
    return {**inherited, "PATH": path, "HOSTNAME": service.host.hostname or name, **described, MARK: layout.mark(name)}


def _paths(stack: Stack, service: Service, number: int, layout: Layout) -> dict[str, str]:
    """Where each mount, secret and config of the service lies on this host."""
    found: dict[str, str] = {}
    for mount in service.mounts:
        places = {
            MountKind.BIND: mount.source,
            MountKind.VOLUME: str(layout.volumes / mount.source),
            MountKind.TMPFS: str(layout.temporary / label(service.name, number) / mount.target.strip("/")),
        }
        found[mount.target.rstrip("/") or "/"] = places[mount.kind]
    for declared, default, mounts in (
        (stack.secrets, "/run/secrets", service.secrets),
        (stack.configs, "", service.configs),
    ):
        for file in mounts:
            target = file.target or file.source
            if not target.startswith("/"):
                target = f"{default}/{target}"
            found[target] = str(declared[file.source].file)
    return found


def _texts(service: Service) -> tuple[str, ...]:
    return (*service.environment.values(), *(service.entrypoint or ()), *service.command)
