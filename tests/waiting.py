"""What tests wait with and listen on: a condition with a deadline, a port nobody uses."""

import contextlib
import secrets
import socket
import time
from collections.abc import Callable
from typing import Literal, TypeVar

T = TypeVar("T")


def until(
    look: Callable[[], T | Literal[False, 0] | None],
    what: str,
    seconds: float = 30.0,
    seen: Callable[[], object] = str,
) -> T:
    """The first true answer of ``look``; fails after ``seconds``, and then ``seen`` is asked for what was there."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}; {seen()}".rstrip("; ")
        time.sleep(0.03)
    return found


def free_port() -> int:
    """A port of this host that is free, and that only somebody who asks for it by number may take meanwhile.

    The system chooses ports from 32768 up, the local engine from 19000 to 32000.
    """
    while True:
        port = secrets.choice(range(11000, 19000))
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
