"""What tests wait with and listen on: a condition with a deadline, a port nobody uses."""

import contextlib
import fcntl
import os
import resource
import secrets
import socket
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import IO, Literal, TypeVar

T = TypeVar("T")
REST_S = 1.0


def until(
    look: Callable[[], T | Literal[False, 0] | None],
    what: str,
    seconds: float = 30.0,
    seen: Callable[[], object] = str,
) -> T:
    """The first true answer of ``look``; fails after ``seconds``, and then ``seen`` is asked for what was there.

    A look that runs a command is followed by a rest of twice its time, up to ``REST_S``: again and again, it would
    take from what is waited for the processor that it needs.
    """
    deadline = time.monotonic() + seconds
    while True:
        began, commands = time.monotonic(), _commands_s()
        if found := look():
            return found
        now = time.monotonic()
        assert now < deadline, f"not within {seconds:g} s: {what}; {seen()}".rstrip("; ")
        time.sleep(min(2 * (now - began), REST_S) if _commands_s() > commands else 0.03)


def _commands_s() -> float:
    """Processor time of all commands of this process that have ended."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime


def free_port() -> int:
    """A port of this host that is free, and that no other caller, in any process of the tests, gets meanwhile.

    The system chooses ports from 32768 up, the local engine from 19000 to 32000.
    """
    while True:
        port = secrets.choice(range(11000, 19000))
        if _claim(port):
            with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
                return port


@cache
def _claims() -> IO[bytes]:
    """A file with one byte for each port: who locks the byte has the port, until its process ends."""
    return (Path(tempfile.gettempdir()) / f"tradebot-tests-ports-{os.getuid()}").open("ab")


_claimed: set[int] = set()


def _claim(port: int) -> bool:
    """Whether the port is this caller's. The kernel's lock is the process's, so it alone would give a port twice."""
    if port in _claimed:
        return False
    try:
        fcntl.lockf(_claims(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    _claimed.add(port)
    return True
