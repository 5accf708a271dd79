"""A command inside a container with this process's own streams: piped input, a terminal, its exit code."""

import contextlib
import os
import signal
import socket
import sys
import termios
import threading
import tty
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import requests
from docker.errors import APIError

from tradebot_ops.docker.client import Client, said_in
from tradebot_ops.engines.base import Replica
from tradebot_ops.engines.docker.logs import HEADER

CHUNK = 65536
SHELL = ("sh", "-c", "if command -v bash >/dev/null; then exec bash; else exec sh; fi")
STDIN, STDOUT, STDERR = 0, 1, 2


class Reader(Protocol):
    """The buffered side of a connection that was taken over."""

    def read(self, size: int, /) -> bytes: ...
    def read1(self, size: int, /) -> bytes: ...


def attached(client: Client, replica: Replica, command: Sequence[str], *, terminal: bool) -> int:
    """Run until the command ends; an empty command is the container's best shell. Ctrl-C reaches it in a terminal."""
    words = tuple(command) or SHELL
    doing = f"running {words[0]} in {replica.service} {replica.number}"
    listens = terminal or not sys.stdin.isatty()
    environ = {"TERM": os.environ.get("TERM", "xterm")} if terminal else {}
    with client.translating_errors(doing, client.deadlines.read):
        made = client.writes.exec_create(replica.id, list(words), stdin=listens, tty=terminal, environment=environ)
        answer = _start(client, made["Id"], terminal=terminal)
    reader, sock = _taken_over(answer)
    if listens:
        threading.Thread(target=_feed, args=(sock,), daemon=True, name="tradebot-stdin").start()
    with client.translating_errors(doing), _raw_terminal(client, made["Id"]) if terminal else contextlib.nullcontext():
        for stream, chunk in _chunks(reader, terminal=terminal):
            _write(stream, chunk)
    with client.translating_errors(doing, client.deadlines.read):
        code = client.reads.exec_inspect(made["Id"])["ExitCode"]
    return 0 if code is None else int(code)


def _start(client: Client, made: str, *, terminal: bool) -> requests.Response:
    """Ask the engine to turn the connection into the command's streams; the SDK loses what comes at once."""
    api = client.upgrades
    answer = api.post(
        f"{api.base_url}/v{api.api_version}/exec/{made}/start",
        json={"Tty": terminal, "Detach": False},
        headers={"Connection": "Upgrade", "Upgrade": "tcp"},
        stream=True,
        timeout=(client.deadlines.read, None),
    )
    if answer.status_code >= 400:
        raise APIError(answer.reason, answer, said_in(answer))
    return answer


def _taken_over(answer: requests.Response) -> tuple[Reader, socket.socket]:
    """Both sides of the connection below HTTP."""
    http: Any = answer.raw._fp  # noqa: SLF001
    return http.fp, http.fp.raw._sock  # noqa: SLF001


def _feed(sock: socket.socket) -> None:
    """Copy standard input until it ends, then say so."""
    with contextlib.suppress(OSError):
        while chunk := os.read(STDIN, CHUNK):
            sock.sendall(chunk)
        sock.shutdown(socket.SHUT_WR)


def _chunks(reader: Reader, *, terminal: bool) -> Iterator[tuple[int, bytes]]:
    """(stream, what came): a terminal has one stream, without one the engine frames two."""
    if terminal:
        while chunk := reader.read1(CHUNK):
            yield STDOUT, chunk
        return
    while len(header := reader.read(HEADER.size)) == HEADER.size:
        stream, length = HEADER.unpack(header)
        yield STDERR if stream == STDERR else STDOUT, reader.read(length)


def _write(stream: int, chunk: bytes) -> None:
    while chunk:
        chunk = chunk[os.write(stream, chunk) :]


@contextlib.contextmanager
def _raw_terminal(client: Client, made: str) -> Iterator[None]:
    """Every key goes to the command, and it knows the size of the window, also when that changes."""

    def resize(*_: object) -> None:
        size = os.get_terminal_size(STDOUT)
        with contextlib.suppress(APIError, OSError):
            client.reads.exec_resize(made, height=size.lines, width=size.columns)

    before = termios.tcgetattr(STDIN)
    handler = signal.signal(signal.SIGWINCH, resize)
    try:
        # What was typed already is kept.
        tty.setraw(STDIN, termios.TCSADRAIN)
        resize()
        yield
    finally:
        termios.tcsetattr(STDIN, termios.TCSADRAIN, before)
        signal.signal(signal.SIGWINCH, handler)
