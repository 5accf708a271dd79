"""A stand-in for Prometheus' query endpoint, for faults that the real one does not show on demand."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

Form = Mapping[str, str]
Answer = tuple[int, bytes]


def matrix(*series: tuple[Mapping[str, str], list[tuple[float, str]]]) -> Answer:
    """The answer to a range query, as Prometheus writes it: values are strings."""
    result = [{"metric": dict(labels), "values": [[at, value] for at, value in samples]} for labels, samples in series]
    return 200, json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}}).encode()


def vector(*series: tuple[Mapping[str, str], float, str]) -> Answer:
    """The answer to an instant query."""
    result = [{"metric": dict(labels), "value": [at, value]} for labels, at, value in series]
    return 200, json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode()


def refusal(kind: str, words: str) -> Answer:
    return 400, json.dumps({"status": "error", "errorType": kind, "error": words}).encode()


def steady(value: str, labels: Mapping[str, str] | None = None, until_s: float = 0.0) -> Callable[[Form], Answer]:
    """One series of one value over the whole window; its last sample is ``until_s`` seconds before the end."""

    def answer(form: Form) -> Answer:
        start, end, step = (float(form[name]) for name in ("start", "end", "step"))
        moments = [start + number * step for number in range(int((end - until_s - start) / step) + 1)]
        return matrix((labels or {}, [(at, value) for at in moments]))

    return answer


@dataclass
class StandIn:
    """``answer`` decides by the form that was sent; ``rules`` is that to the question for alerts;
    ``asked`` keeps every other form, ``logins`` its Authorization."""

    url: str = ""
    answer: Callable[[Form], Answer] = field(default_factory=lambda: steady("1"))
    rules: Answer = (200, b'{"status": "success", "data": {"groups": []}}')
    asked: list[Form] = field(default_factory=list)
    logins: list[str | None] = field(default_factory=list)


@contextmanager
def stand_in(pair: Path | None = None) -> Iterator[StandIn]:
    """With a file of a certificate and its key it answers over TLS alone."""
    state = StandIn()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            if asked.path == "/api/v1/rules":
                # Whatever refuses everything refuses this, too.
                status, body = state.answer({"query": "up", "start": "0", "end": "0", "step": "1"})
                self._send(*((status, body) if status == 401 else state.rules))
                return
            self._answer(asked.query)

        def _answer(self, words: str) -> None:
            form = {name: values[0] for name, values in parse_qs(words).items()}
            state.asked.append(form)
            state.logins.append(self.headers.get("Authorization"))
            self._send(*state.answer(form))

        def _send(self, status: int, answer: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            """Nothing into the test's output."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 64  # a dashboard asks everything at once

        def handle_error(self, *_: Any) -> None:
            """A client that gave up is what some tests are about."""

    with Server(("127.0.0.1", 0), Handler) as server:
        if pair:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pair)
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        state.url = f"{'https' if pair else 'http'}://127.0.0.1:{server.server_address[1]}"
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()
