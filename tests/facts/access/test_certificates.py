"""A handshake with real servers: a good certificate, one that nobody trusts, and none."""

import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tradebot_ops.clients import certificates
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.facts.access.certificates import Secured, secured
from tradebot_ops.facts.access.ports import Seen, Shown
from tradebot_ops.settings import load_settings

Serve = Callable[[Callable[[socket.socket], None]], int]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that ends in ten days, with its key in the same file."""
    folder = tmp_path_factory.mktemp("certificate")
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 10 -subj /CN=localhost"
    files = ["-keyout", str(folder / "key"), "-out", str(folder / "cert")]
    subprocess.run(["openssl", *words.split(), *files], check=True, capture_output=True)
    both = folder / "both.pem"
    both.write_text((folder / "key").read_text() + (folder / "cert").read_text())
    return both


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers that give each connection to a function; returns their ports."""
    listeners: list[socket.socket] = []

    def start(answer: Callable[[socket.socket], None]) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with closing(connection):
                    answer(connection)

        threading.Thread(target=accept, daemon=True).start()
        return int(listener.getsockname()[1])

    yield start
    for listener in listeners:
        listener.close()


def tls(certificate: Path) -> Callable[[socket.socket], None]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)

    def answer(connection: socket.socket) -> None:
        try:
            with context.wrap_socket(connection, server_side=True) as secured:
                secured.recv(1)
        except OSError:  # who does not trust it, or speaks no TLS, hangs up
            return

    return answer


def plain(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def test_a_good_one_says_when_it_ends(serve: Serve, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    found = certificates.ask(certificates.trusted(), "127.0.0.1", serve(tls(certificate)))
    assert found
    assert found.fault == ""
    assert found.expires
    assert 9 <= (found.expires - datetime.now(UTC)).days <= 10


def test_one_that_nobody_trusts_says_why(serve: Serve, certificate: Path) -> None:
    found = certificates.ask(certificates.trusted(), "127.0.0.1", serve(tls(certificate)))
    assert found
    assert "self-signed" in found.fault


def test_who_speaks_something_else_or_is_not_there_has_none(serve: Serve) -> None:
    assert certificates.ask(certificates.trusted(), "127.0.0.1", serve(plain)) is None
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    assert certificates.ask(certificates.trusted(), "127.0.0.1", port) is None


def test_published_ports_are_asked_and_others_left_alone(serve: Serve, certificate: Path, tmp_path: Path) -> None:
    ops = Ops(load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(tmp_path)}, tmp_path), StubEngine("demo"))
    ports = [Shown("api", "api-1", 1, "0.0.0.0", serve(answer)) for answer in (tls(certificate), plain)]
    inner = Shown("redis", "redis-1", 1, "127.0.0.1", serve(plain), published=False)
    found = secured(ops, Seen((*ports, inner), ()))
    assert [each.shown for each in found] == ports
    assert found[0].certificate
    assert found[1] == Secured(ports[1], None)
