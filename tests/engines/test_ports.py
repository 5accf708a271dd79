"""Ports of this host, asked for with real sockets; both engines read their answers here."""

import os
import socket

import psutil
import pytest

from tradebot_ops.engines.docker.ports import next_free
from tradebot_ops.engines.ports import holder, is_free
from tradebot_ops.errors import OpsError
from tradebot_ops.stack.model import Port


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_port_is_free_until_somebody_listens(host: str) -> None:
    with socket.create_server((host, 0)) as server:
        port = server.getsockname()[1]
        assert not is_free(port, host)
        assert next_free(Port(80, port, host)) > port
    assert is_free(port, host)


def test_connections_that_linger_do_not_hold_a_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            server.accept()[0].close()  # the side that closes first is the one that lingers, on this port
    assert is_free(port)


def test_an_address_of_another_host_is_not_taken_for_a_held_port() -> None:
    with pytest.raises(OpsError, match="has no address 192.0.2.1") as caught:
        is_free(8010, "192.0.2.1")
    assert caught.value.code == "TB-0833"


def test_the_holder_of_another_user_is_named_as_far_as_it_may_be_known(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert f"process {os.getpid()}" in holder(port)
        # Another user's sockets come without a process; the kernel still tells whose they are.
        monkeypatch.setattr(psutil, "net_connections", lambda kind: [])
        assert holder(port) == f"a program of user {psutil.Process().username()}"
