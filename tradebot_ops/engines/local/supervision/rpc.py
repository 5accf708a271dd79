"""XML-RPC over a unix socket whose path may be longer than the kernel takes.

Our own transport: supervisor's `SupervisorTransport` connects to the path as it is, which fails beyond 107 bytes, and
sets no deadline, so that a hung supervisor would hang every command.
"""

import contextlib
import http.client
import os
import socket
import xmlrpc.client
from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: Seconds the supervisor may take to answer before it is reported as hung.
ANSWER_WITHIN = 15.0


class NotRunning(Exception):  # noqa: N818 - a fact, caught where it is known what it means
    """Nothing listens on the supervisor's socket."""


def proxy(folder: Path) -> xmlrpc.client.ServerProxy:
    """Calls to the supervisor of ``folder``; each one opens its own connection when it is made."""
    return xmlrpc.client.ServerProxy("http://supervisor", transport=_Transport(folder))


class _Transport(xmlrpc.client.Transport):
    """XML-RPC over the unix socket of one folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        connection = self._connection[1] or _Connection(self._folder)
        self._connection = host, connection
        return connection


class _Connection(http.client.HTTPConnection):
    def __init__(self, folder: Path) -> None:
        super().__init__("supervisor", timeout=ANSWER_WITHIN)
        self._folder = folder

    def connect(self) -> None:
        with connected(self._folder) as connection:
            self.sock = connection.dup()


@contextlib.contextmanager
def connected(folder: Path) -> Iterator[socket.socket]:
    """A connection to the socket in ``folder``, reached through an open folder because its path may be too long."""
    try:
        handle = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        raise NotRunning from None
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(ANSWER_WITHIN)
            try:
                connection.connect(f"/proc/self/fd/{handle}/supervisor.sock")
            except (FileNotFoundError, ConnectionRefusedError):
                raise NotRunning from None
            yield connection
    finally:
        os.close(handle)
