"""The API's client as a stranger: no key leaves with a knock, and whatever comes back is an answer."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tradebot_ops.clients.api import Api
from tradebot_ops.errors import OpsError
from tradebot_ops.settings import Secret


class Refusing(BaseHTTPRequestHandler):
    """Refuses without the key, and what is declared too long."""

    def do_POST(self) -> None:
        declared = int(self.headers.get("Content-Length", "0"))
        self.send_response(413 if declared > 1000 else 401 if "X-API-Key" not in self.headers else 202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        """A series of two lines, and one of which half is sent."""
        missing = self.path.endswith("GOOG")
        content = b"Date,Symbol\n2024-01-02,AAPL\n"
        self.send_response(404 if missing else 500 if self.path.endswith("FB") else 200)
        self.send_header("Content-Length", str(len(content) + self.path.endswith("IBM")))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def api() -> Iterator[Api]:
    with HTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield Api(f"http://127.0.0.1:{server.server_port}", Secret("k" * 32))
        finally:
            server.shutdown()
            thread.join()


def test_a_knock_carries_no_key(api: Api) -> None:
    assert api.knock("POST", "/jobs").status == 401


def test_a_body_is_announced_and_not_sent(api: Api) -> None:
    assert api.announce("/jobs", 64 * 1024**2) == 413


def test_nobody_there_is_said_in_one_sentence() -> None:
    nobody = Api("http://127.0.0.1:1", Secret("k" * 32))
    for ask in (lambda: nobody.knock("GET", "/health"), lambda: nobody.announce("/jobs", 1)):
        with pytest.raises(OpsError) as caught:
            ask()
        assert caught.value.code == "TB-0501"


def test_lines_of_a_series_come_to_their_end_or_it_is_said(api: Api) -> None:
    assert [*(api.series_lines("BTC/USDT", "1h") or ())] == ["Date,Symbol", "2024-01-02,AAPL"]
    assert api.series_lines("GOOG", "1d") is None
    with pytest.raises(OpsError, match="The API failed") as caught:
        api.series_lines("FB", "1d")
    assert caught.value.code == "TB-0508"
    cut = api.series_lines("IBM", "1d")
    assert cut is not None
    with pytest.raises(OpsError, match="cut off") as caught:
        list(cut)
    assert caught.value.code == "TB-0501"
