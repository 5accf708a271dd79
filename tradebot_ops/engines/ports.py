"""Ports of this host: whether one is free, and who holds one that is taken."""

import contextlib
import errno
import pwd
import socket
from pathlib import Path

from tradebot_ops.errors import OpsError


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


def any_free(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on now, of the kernel's choice."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


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
    """The kernel shows the owner of a socket even where it hides the process."""
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
