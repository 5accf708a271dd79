"""Probes: one question in the service's own protocol, and an answer whatever happens."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tradebot_ops.clients.probe import ask
from tradebot_ops.stack.model import Probe


@contextmanager
def server(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A one-connection server on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(5)


def replies(text: bytes) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        connection.recv(1024)
        connection.sendall(text)

    return answer


@pytest.mark.parametrize(
    ("protocol", "reply", "ok", "detail"),
    [
        ("redis", b"+PONG\r\n", True, "answers"),
        ("redis", b"-NOAUTH Authentication required.\r\n", True, "answers"),
        ("redis", b"-LOADING Redis is loading the dataset in memory\r\n", False, "-LOADING"),
        ("postgres", b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0", True, "accepts connections"),
        ("postgres", b"E\0\0\0\x30SFATAL\0C57P03\0Mthe database system is starting up\0\0", False, "starting up"),
        ("postgres", b"", False, "closed"),
        ("http", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", True, "HTTP 200"),
        ("http", b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", True, "HTTP 401"),
        ("http", b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", False, "HTTP 503"),
        ("http", b"not http at all\r\n\r\n", False, "not http"),
    ],
)
def test_answers_are_read(protocol: str, reply: bytes, ok: bool, detail: str) -> None:
    with server(replies(reply)) as port:
        sample = ask(Probe(protocol, port), "127.0.0.1", port)
    assert sample.ok is ok
    assert detail in sample.detail


def test_a_refused_connection_is_an_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    sample = ask(Probe("tcp", port), "127.0.0.1", port)
    assert (sample.ok, sample.detail) == (False, "Connection refused")


def test_a_hanging_service_costs_no_more_than_the_timeout() -> None:
    release = threading.Event()
    with server(lambda connection: release.wait(5)) as port:  # type: ignore[arg-type]
        sample = ask(Probe("redis", port), "127.0.0.1", port, timeout=0.2)
        release.set()
    assert sample.ok is False
    assert sample.detail == "no answer within 0.2 s"
    assert 0.2 <= sample.seconds < 2
