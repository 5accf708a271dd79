"""The client where there is no Postgres to ask; what it asks a real one is tested in tests/integration/clients."""

import socket
import threading
import time
from contextlib import suppress

import pytest

from tests.waiting import free_port
from tradebot_ops.clients.postgres import Account, Postgres
from tradebot_ops.errors import Unreachable
from tradebot_ops.settings import Secret

ACCOUNT = Account("tradebot", Secret("open-sesame"), "tradebot")


def test_nobody_there() -> None:
    port = free_port()
    with pytest.raises(Unreachable, match=f"Postgres at 127.0.0.1:{port} cannot be reached: .*refused") as caught:
        Postgres("127.0.0.1", port, ACCOUNT).rows("SELECT 1")
    assert caught.value.code == "TB-0535"
    assert "open-sesame" not in caught.value.message


def test_whoever_accepts_and_never_answers_is_given_up_in_time() -> None:
    """A deadline shorter than the two seconds that psycopg allows."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = Postgres("127.0.0.1", listener.getsockname()[1], ACCOUNT, timeout=0.3)
        began = time.monotonic()
        with pytest.raises(Unreachable, match=r"did not answer within 0\.3 s"):
            client.rows("SELECT 1")
        assert time.monotonic() - began < 1.5


def test_something_else_on_the_port() -> None:
    """Redis, for instance, answers a startup packet with an error of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_answer_like_redis, args=(listener,))
        thread.start()
        try:
            with pytest.raises(Unreachable):
                Postgres("127.0.0.1", listener.getsockname()[1], ACCOUNT, timeout=2).rows("SELECT 1")
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _answer_like_redis(listener: socket.socket) -> None:
    """Until the listener is shut down. libpq hangs up when it likes, and comes again without encryption."""
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection, suppress(OSError):
            connection.recv(1024)
            connection.sendall(b"-ERR unknown command\r\n")
