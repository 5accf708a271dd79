"""Which port of this host stands for which port of a replica, and who holds one that is taken."""

import contextlib
import errno
import pwd
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tradebot_ops.errors import OpsError, PortTaken
from tradebot_ops.records import RememberedPorts
from tradebot_ops.state import ProjectState
from tradebot_ops.text.labels import Labelled

_LAST = 65535


@dataclass(frozen=True)
class Wish(Labelled):
    """A port a replica needs: ``first`` is tried first (0: any), ``explicit`` means no other will do."""

    service: str
    number: int
    target: int
    first: int
    host: str = "127.0.0.1"
    explicit: bool = False


class Ports:
    """The ports of one project, remembered in its state folder so that they stay the same from start to start."""

    def __init__(self, state: ProjectState) -> None:
        self._state = state

    def known(self) -> Mapping[str, Mapping[str, int]]:
        """What was assigned so far: replica → target port → local port."""
        return self._remembered().ports

    def _remembered(self) -> RememberedPorts:
        return self._state.load(RememberedPorts)

    def assign(self, wish: Wish, *, held: Mapping[str, int], tell: Callable[[str], None]) -> int:
        """The local port for ``wish``, remembered.

        ``held`` are the ports the replica's running process already has. A taken default moves and ``tell``
        hears why; a taken explicit port raises ``OpsError`` TB-0821 naming its holder.
        """
        known = self._remembered()
        before = known.ports.get(wish.label, {}).get(str(wish.target))
        port = held.get(str(wish.target))
        if port is None or (wish.explicit and port != wish.first):
            port = self._choose(wish, before, _others(known.ports, wish), tell)
        if port != before:
            self._state.store(known.having(wish.label, {str(wish.target): port}))
        return port

    def forget(self) -> None:
        """Forget every choice; the next start begins with the defaults again."""
        self._state.discard(RememberedPorts)

    def _choose(self, wish: Wish, before: int | None, others: set[int], tell: Callable[[str], None]) -> int:
        if wish.explicit:
            if not is_free(wish.first, wish.host):
                raise _taken(wish)
            return wish.first
        if before is not None and before not in others and is_free(before, wish.host):
            return before
        if wish.first == 0:
            return _any_port(wish.host)
        if wish.number == 1 and wish.first not in others and is_free(wish.first, wish.host):
            return wish.first
        port = _next_free(wish, others)
        if wish.number == 1:
            why = "belongs to another service" if wish.first in others else f"is taken by {holder(wish.first)}"
            tell(f"port {wish.first} {why}: using {port}")
        return port


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there now. SO_REUSEADDR, or connections in TIME_WAIT would look like one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise OpsError(
                    f"This host has no address {host} to publish port {port} on.",
                    code="TB-0833",
                    hint="Publish on 127.0.0.1 or on an address that `ip address` shows.",
                ) from error
            return False
    return True


def holder(port: int) -> str:
    """Who listens on a port, as far as this user may know: program, process id and whose it is."""
    import psutil

    with contextlib.suppress(psutil.AccessDenied):
        for connection in psutil.net_connections(kind="tcp"):
            local = connection.laddr
            if connection.status == psutil.CONN_LISTEN and local and local.port == port and connection.pid:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process = psutil.Process(connection.pid)
                    return f"{process.name()} (process {process.pid} of user {process.username()})"
    user = _listening_user(port)
    if user is not None:
        return f"a program of user {user}"
    return "the system (ports below 1024 need root)" if port < 1024 else "another program"


def _listening_user(port: int) -> str | None:
    """The kernel tells the owner of a socket even where it hides the process."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                    uid = int(fields[7])
                    with contextlib.suppress(KeyError):
                        return pwd.getpwuid(uid).pw_name
                    return str(uid)
    return None


def _taken(wish: Wish) -> OpsError:
    return PortTaken(
        f"Port {wish.first} for {wish.service} is taken by {holder(wish.first)}.",
        code="TB-0821",
        hint="Stop that program, or choose another port in the setting that named this one.",
    )


def _others(known: Mapping[str, Mapping[str, int]], wish: Wish) -> set[int]:
    """Ports promised to other replicas, running or not."""
    return {
        port
        for replica, ports in known.items()
        for target, port in ports.items()
        if (replica, target) != (wish.label, str(wish.target))
    }


def _next_free(wish: Wish, others: set[int]) -> int:
    start = wish.first + 1 if wish.number == 1 else wish.first
    for port in range(min(start, _LAST), _LAST + 1):
        if port not in others and is_free(port, wish.host):
            return port
    return _any_port(wish.host)


def _any_port(host: str) -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
