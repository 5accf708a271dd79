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

from docker.errors import APIError

from tradebot_ops.docker.client import Client
from tradebot_ops.engines.base import Replica
from tradebot_ops.engines.docker.exec_stream import chunks, start, taken_over

CHUNK = 65536
SHELL = ("sh", "-c", "if command -v bash >/dev/null; then exec bash; else exec sh; fi")
STDIN, STDOUT = 0, 1


def attached(client: Client, replica: Replica, command: Sequence[str], *, terminal: bool) -> int:
    """Run until the command ends; an empty command is the container's best shell. Ctrl-C reaches it in a terminal."""
    words = tuple(command) or SHELL
    doing = f"running {words[0]} in {replica.service} {replica.number}"
    listens = terminal or not sys.stdin.isatty()
    environ = {"TERM": os.environ.get("TERM", "xterm")} if terminal else {}
    with client.translating_errors(doing, client.deadlines.read):
        made = client.writes.exec_create(replica.id, list(words), stdin=listens, tty=terminal, environment=environ)
        answer = start(client, made["Id"], terminal=terminal)
    reader, sock = taken_over(answer)
    if listens:
        threading.Thread(target=_feed, args=(sock,), daemon=True, name="tradebot-stdin").start()
    with client.translating_errors(doing), _raw_terminal(client, made["Id"]) if terminal else contextlib.nullcontext():
        for stream, chunk in chunks(reader, terminal=terminal):
            _write(stream, chunk)
    with client.translating_errors(doing, client.deadlines.read):
        code = client.reads.exec_inspect(made["Id"])["ExitCode"]
    return 0 if code is None else int(code)


def _feed(sock: socket.socket) -> None:
    """Copy standard input until it ends, then say so."""
    with contextlib.suppress(OSError):
        while chunk := os.read(STDIN, CHUNK):
            sock.sendall(chunk)
        sock.shutdown(socket.SHUT_WR)


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
