"""Clients hold their secret as a ``Secret``: nothing that lives on, is printed or is reported shows it."""

import base64
import socketserver
import struct
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from tests.waiting import free_port
from tradebot_ops.clients.alertmanager import Alertmanager
from tradebot_ops.clients.api import Api
from tradebot_ops.clients.postgres import Account, Postgres
from tradebot_ops.clients.prometheus import Prometheus
from tradebot_ops.clients.redis import Redis
from tradebot_ops.clients.rest import Login
from tradebot_ops.errors import OpsError
from tradebot_ops.settings import Secret

VALUE = "open-sesame-0815"
SECRET = Secret(VALUE)
LOGIN = Login("ann", SECRET)
FORMS = {VALUE, base64.b64encode(f"ann:{VALUE}".encode()).decode()}


class Echo(BaseHTTPRequestHandler):
    """Answers 500 with all that it was sent, as a badly configured proxy does."""

    def do_GET(self) -> None:
        sent = self.headers.get("Authorization", "").removeprefix("Basic ")
        repeated = base64.b64decode(sent).decode() + self.headers.get("X-API-Key", "")
        self.server.received.append(repeated)  # type: ignore[attr-defined]
        body = f'{{"detail": "I was sent {repeated}"}}'.encode()
        self.send_response(500)
        self.send_header("Content-Type", "application/problem+json" if "X-API-Key" in self.headers else "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


class RedisWithoutAuth(socketserver.StreamRequestHandler):
    """Redis with AUTH renamed: it repeats the arguments of what it does not know."""

    def handle(self) -> None:
        while (line := self.rfile.readline()).startswith(b"*"):
            words = []
            for _ in range(int(line[1:])):
                self.rfile.readline()
                words.append(self.rfile.readline().strip().decode())
            self.server.received.append(" ".join(words))  # type: ignore[attr-defined]
            arguments = " ".join(f"'{word}'" for word in words[1:])
            self.wfile.write(f"-ERR unknown command '{words[0]}', with args beginning with: {arguments}\r\n".encode())


class PostgresInTheClear(socketserver.StreamRequestHandler):
    """Asks for the password as it is, and refuses it by name."""

    def handle(self) -> None:
        while (kind := self._message())[:4] == struct.pack("!i", 80877103):  # may we use TLS?
            self.wfile.write(b"N")
        if kind:
            self.wfile.write(b"R" + struct.pack("!ii", 8, 3))
            self.rfile.read(1)
            password = self._message().rstrip(b"\0").decode()
            self.server.received.append(password)  # type: ignore[attr-defined]
            reason = f"SFATAL\0C28P01\0Mpassword authentication failed: {password}\0\0".encode()
            self.wfile.write(b"E" + struct.pack("!i", 4 + len(reason)) + reason)

    def _message(self) -> bytes:
        length = self.rfile.read(4)
        return self.rfile.read(struct.unpack("!i", length)[0] - 4) if length else b""


@contextmanager
def serving(server: Any) -> Iterator[tuple[int, list[str]]]:
    """Its port, and what it received so far."""
    server.received = []
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server.server_address[1], server.received
    finally:
        server.shutdown()
        server.server_close()


CLIENTS: dict[str, tuple[Callable[[int], Any], Callable[[Any], Any]]] = {
    "api": (lambda port: Api(f"http://127.0.0.1:{port}", SECRET, 2.0), lambda client: client.job_types()),
    "prometheus": (lambda port: Prometheus(f"http://127.0.0.1:{port}", LOGIN, 2.0), lambda client: client.targets()),
    "promql": (lambda port: Prometheus(f"http://127.0.0.1:{port}", LOGIN, 2.0), lambda client: client.query("up")),
    "alertmanager": (lambda port: Alertmanager(f"http://127.0.0.1:{port}", LOGIN, 2.0), lambda client: client.alerts()),
    "redis": (lambda port: Redis("127.0.0.1", port, SECRET), lambda client: client.desire_workers(3)),
    "redis's user": (lambda port: Redis("127.0.0.1", port, SECRET, "ann"), lambda client: client.info()),
    "postgres": (
        lambda port: Postgres("127.0.0.1", port, Account("ann", SECRET, "data")),
        lambda client: client.rows("SELECT 1"),
    ),
}
every = pytest.mark.parametrize("name", CLIENTS)


def shows(text: str) -> bool:
    return any(form in text for form in FORMS)


def reported(ask: Callable[[Any], Any], client: Any) -> str:
    """All that is printed of the failure, on a screen or in a bug report."""
    with pytest.raises(OpsError) as caught:
        ask(client)
    error = caught.value
    lines = traceback.format_exception(error)
    return "".join([error.message, error.hint, *error.detail, repr(error), *lines])


@every
def test_a_service_that_repeats_what_it_was_sent_does_not_make_us_repeat_it(name: str) -> None:
    make, ask = CLIENTS[name]
    handlers = {"redis": RedisWithoutAuth, "redis's user": RedisWithoutAuth, "postgres": PostgresInTheClear}
    with serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), handlers.get(name, Echo))) as (port, received):
        client = make(port)
        text = reported(ask, client)
        assert shows(" ".join(received))
        assert not shows(text)
        assert not list(readable(client, "client"))


@every
def test_a_service_that_is_away_leaves_no_trace(name: str) -> None:
    make, ask = CLIENTS[name]
    client = make(free_port())
    assert not shows(reported(ask, client))
    assert not list(readable(client, "client"))


def readable(thing: Any, path: str, seen: set[int] | None = None) -> Iterator[str]:
    """Where something that lives as long as the client shows the value: its attributes, theirs, and so on."""
    seen = set() if seen is None else seen
    if id(thing) in seen or isinstance(thing, Secret | type) or callable(thing):
        return
    seen.add(id(thing))
    text = thing.decode("utf-8", "replace") if isinstance(thing, bytes) else repr(thing)
    if shows(text):
        yield path
    for name, inner in _inside(thing):
        yield from readable(inner, f"{path}.{name}", seen)


def _inside(thing: Any) -> Iterator[tuple[object, Any]]:
    if isinstance(thing, dict):
        yield from thing.items()
    elif isinstance(thing, list | tuple | set):
        yield from enumerate(thing)
    yield from getattr(thing, "__dict__", {}).items()
    for kind in type(thing).__mro__:
        for name in vars(kind).get("__slots__", ()):
            if hasattr(thing, name):
                yield name, getattr(thing, name)
