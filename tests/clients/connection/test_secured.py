"""TLS to a real server of this process: who is trusted, by which name, and how a refusal reads."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from tradebot_ops.clients import probe
from tradebot_ops.clients.connection import plain, secured
from tradebot_ops.errors import OpsError, Unreachable
from tradebot_ops.operations.tls import issue
from tradebot_ops.operations.tls.issue import Pair
from tradebot_ops.stack.model import Probe, Trust

NOW = datetime.now(UTC)
ABOVE = issue.authority("demo", NOW - timedelta(days=90))
GOOD = issue.server(ABOVE, ("trading.example.com",), NOW, 30)


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_: object) -> None:
        """Nothing: it would stand between the test's own lines."""


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Nothing: clients that refuse hang up."""


@contextmanager
def served(pair: Pair | None, folder: Path) -> Iterator[int]:
    """A server on a port; without a pair it speaks no TLS."""
    with _Quiet(("127.0.0.1", 0), _Page) as server:
        if pair:
            (folder / "pair.pem").write_text(pair.certificate + pair.key.reveal())
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(folder / "pair.pem")
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server.server_port
        server.shutdown()


def trust(folder: Path, name: str = "trading.example.com", above: Pair = ABOVE) -> Trust:
    ca = folder / "ca.pem"
    ca.write_text(above.certificate)
    return Trust(ca, name)


def test_the_name_is_compared_wherever_the_service_is_reached(tmp_path: Path) -> None:
    believed = trust(tmp_path)
    with served(GOOD, tmp_path) as port:
        assert probe.ask(Probe("https", port, "/", believed), "127.0.0.1", port).detail == "HTTP 200"
        assert probe.page("127.0.0.1", port, "/", trust=believed) == (200, "hello")
        with plain.client(believed, base_url=f"https://127.0.0.1:{port}") as client:
            assert client.get("/").text == "hello"


OLD = issue.server(ABOVE, ("trading.example.com",), NOW - timedelta(days=60), 30)
OTHER = issue.authority("other", NOW)


@pytest.mark.parametrize(
    ("pair", "name", "above", "why"),
    [
        (OLD, "trading.example.com", ABOVE, "its certificate is not trusted: certificate has expired"),
        (GOOD, "localhost", ABOVE, "its certificate is not trusted: Hostname mismatch"),
        (GOOD, "trading.example.com", OTHER, "its certificate is not trusted: unable to get local issuer certificate"),
        (None, "trading.example.com", ABOVE, "it speaks no TLS; did API_SCHEME or MONITORING_SCHEME change?"),
    ],
    ids=["expired", "another name", "another authority", "no TLS"],
)
def test_a_refusal_says_why(tmp_path: Path, pair: Pair | None, name: str, above: Pair, why: str) -> None:
    believed = trust(tmp_path, name, above)
    with served(pair, tmp_path) as port:
        found = probe.ask(Probe("https", port, "/", believed), "127.0.0.1", port)
        assert not found.ok
        assert found.detail.startswith(why)
        with pytest.raises(Unreachable, match=r"gave no answer"):
            probe.status("127.0.0.1", port, "/", trust=believed)
        with (
            plain.client(believed, base_url=f"https://127.0.0.1:{port}") as client,
            pytest.raises(httpx.HTTPError) as raised,
        ):
            client.get("/")
        assert secured.refusal(raised.value).startswith(why)


def test_another_failure_is_no_refusal() -> None:
    assert secured.refusal(ConnectionRefusedError("no")) == ""


@pytest.mark.parametrize("text", [None, "", "hello"])
def test_an_authority_that_cannot_be_read_is_an_answer(tmp_path: Path, text: str | None) -> None:
    ca = tmp_path / "none.pem"
    if text is not None:
        ca.write_text(text)
    believed = Trust(ca, "localhost")
    with pytest.raises(OpsError, match=r"none\.pem") as raised:
        secured.context(believed)
    assert raised.value.code == "TB-0878"
    assert "cannot be read" in probe.ask(Probe("https", 1, "/", believed), "127.0.0.1", 1).detail
