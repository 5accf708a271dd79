"""The last run over HTTP, for load balancers and Prometheus. Asking costs nothing: the stack is judged by turns."""

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report
from tradebot_ops.prodcheck import command

HOST = "127.0.0.1"
#: A result older than so many turns is none: the runs hang, or fail before they judge.
STALE_TURNS = 3


class Cache:
    """The last report, and whether it still says something."""

    def __init__(self, look: Callable[[], Report], every: float) -> None:
        self._look = look
        self._every = every
        self._report: Report | None = None
        self._at = 0.0
        self._problem = "There is no run yet."

    def renew(self) -> None:
        """Judge once. A run that could not even begin is remembered by its reason."""
        try:
            self._report, self._at = self._look(), time.monotonic()
        except OpsError as error:
            self._problem = error.message

    @property
    def report(self) -> Report | None:
        age = time.monotonic() - self._at
        return self._report if self._report and age < STALE_TURNS * self._every + 300 else None

    def ready(self) -> tuple[bool, str]:
        report = self.report
        if report is None:
            return False, self._problem
        return not report.exit_code, "Ready." if not report.exit_code else "The last run found failures."


def serve(
    ops: Ops,
    port: int,
    every: float,
    *,
    canary: bool,
    metrics: Callable[[Report], str],
    report: Callable[[str], None],
) -> None:
    """Until Ctrl-C or SIGTERM. Raises ``OpsError`` TB-0236 where the port is taken."""
    wishes = command.Wishes(canary=canary)
    cache = Cache(lambda: command.prod_check(ops.with_settings(ops.settings), wishes, _nobody_watches), every)
    with _listening(cache, metrics, port) as bound:
        report(f"Serving http://{HOST}:{bound}/readyz and /metrics; a run every {every:g} s.")
        stop = threading.Event()
        before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            turns = threading.Thread(target=_turns, args=(cache, every, stop), daemon=True)
            turns.start()
            stop.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _nobody_watches(ids: Sequence[str]) -> command.OnRow:
    del ids
    return lambda *_: None


def _turns(cache: Cache, every: float, stop: threading.Event) -> None:
    while not stop.is_set():
        cache.renew()
        stop.wait(every)


@contextlib.contextmanager
def _listening(cache: Cache, metrics: Callable[[Report], str], port: int) -> Iterator[int]:
    try:
        server = ThreadingHTTPServer((HOST, port), _handler(cache, metrics))
    except OSError as error:
        raise OpsError(
            f"Cannot listen on {HOST}:{port}: {error.strerror}.",
            code="TB-0236",
            hint="Choose another port: tradebot prod-check serve --port 0",
        ) from None
    answering = threading.Thread(target=server.serve_forever, daemon=True)
    answering.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def _handler(cache: Cache, metrics: Callable[[Report], str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10  # a client that says nothing keeps no thread

        def do_GET(self) -> None:
            if self.path == "/readyz":
                ready, body = cache.ready()
                self._answer(200 if ready else 503, f"{body}\n")
            elif self.path == "/metrics":
                report = cache.report
                self._answer(200, metrics(report) if report else "", "text/plain; version=0.0.4; charset=utf-8")
            else:
                self._answer(404, "There is /readyz and /metrics.\n")

        def _answer(self, status: int, text: str, kind: str = "text/plain; charset=utf-8") -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in the base class
            """Nothing: a probe a second would drown what matters."""

    return Handler
