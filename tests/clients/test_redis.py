"""The client where Redis does not answer; what it asks a real one is tested in tests/integration/clients."""

import socket
import time
from collections.abc import Callable

import pytest

from tests.waiting import free_port
from tradebot_ops.clients.redis import Redis
from tradebot_ops.errors import Unreachable
from tradebot_ops.settings import Secret

ASKED: list[Callable[[Redis], object]] = [
    lambda client: client.desire_workers(2),
    lambda client: client.grant_drain(["worker-1"], 5),
    lambda client: client.info(),
    lambda client: client.ping_latencies(),
    lambda client: client.scan("*"),
    lambda client: client.round_trip(),
]


@pytest.mark.parametrize("ask", ASKED)
def test_a_server_that_accepts_and_never_answers_is_given_up_in_time(ask: Callable[[Redis], object]) -> None:
    """And asked once: left to itself the library asks four times."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = Redis("127.0.0.1", listener.getsockname()[1], Secret("open-sesame"), timeout=0.2)
        began = time.monotonic()
        with pytest.raises(Unreachable) as caught:
            ask(client)
        assert time.monotonic() - began < 0.6
    assert caught.value.code == "TB-0530"
    assert "open-sesame" not in caught.value.message


def test_nobody_there() -> None:
    with pytest.raises(Unreachable, match="Redis cannot store how many workers are wanted: .*refused"):
        Redis("127.0.0.1", free_port(), Secret("open-sesame")).desire_workers(2)
