"""What metrics, logging and request id cost the API: ``python -m tests.bench.api [--rounds 9] [--requests 3000]``.

CPU (user and system) of the server's process per request, next to a bare FastAPI with the same routes; ``metrics`` is
the bare one with the metrics' middleware alone. All run under the service's own uvicorn settings, each in a process of
its own; rounds are interleaved, every answer's status is checked, and so is that the real one logged and counted every
request. The routes do next to nothing, so the figures are upper bounds: what a route does itself costs both the same.
"""

import argparse
import http.client
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

import psutil

from tests.bench.api_server import BARE, METRICS, REAL
from tests.paths import ROOT
from tests.waiting import free_port

KINDS = (BARE, METRICS, REAL)
# Answered in the event loop, in a thread as most are, and one whose success is counted but not logged.
ROUTES = ("/bench/loop/1", "/bench/thread/1", "/health/live")
TARGET = 1.6
CONNECTIONS = 4
WARM_UP = 300
START_S = 30.0

Figures = dict[tuple[str, str], list[float]]
"""Microseconds of CPU per request, by route and kind of server."""


class Server:
    """One server process; its log goes into a file, as the local engine's does into a pipe."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.port = free_port()
        self.log = folder / f"{kind}.log"
        environ = {**os.environ, "LOG_FORMAT": "json", "LOG_LEVEL": "info"}
        with self.log.open("wb") as log:
            self._process = psutil.Popen(
                [sys.executable, "-m", "tests.bench.api_server", kind, str(self.port)],
                cwd=ROOT, env=environ, stdout=log, stderr=log,
            )  # fmt: skip

    def cpu_seconds(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def wait_ready(self) -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            with suppress(OSError), urlopen(f"http://127.0.0.1:{self.port}/health/live", timeout=5) as answer:
                if answer.status == 200:
                    return
            time.sleep(0.05)
        raise SystemExit(f"the server does not start: {self.log.read_text()[-2000:]}")

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(20)


def main() -> int:
    arguments = _arguments()
    figures: Figures = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        servers = {kind: stack.enter_context(_running(Server(kind, Path(folder)))) for kind in KINDS}
        for number in range(arguments.rounds + 1):
            for route in ROUTES:
                for kind, server in servers.items():
                    used = cpu_per_request(server, route, arguments.requests if number else WARM_UP)
                    if number:
                        figures[route, kind].append(used * 1e6)
            if number:
                told = "   ".join(f"{route} {ratios(figures, route, REAL)[-1]:.2f}" for route in ROUTES)
                print(f"round {number} of {arguments.rounds}: real / bare {told}   load {os.getloadavg()[0]:.1f}")
        check_observed(servers[REAL], arguments.rounds * arguments.requests + WARM_UP)
    tell(figures)
    return 0


def cpu_per_request(server: Server, route: str, requests: int) -> float:
    """Seconds of the server's CPU, over a few connections that stay open and each have one request under way."""
    lines = [http.client.HTTPConnection("127.0.0.1", server.port, timeout=30) for _ in range(CONNECTIONS)]
    for line in lines:
        line.connect()
    sockets = [line.sock for line in lines]
    before = server.cpu_seconds()
    for _ in range(requests // CONNECTIONS):
        for line in lines:
            line.request("GET", route)
        for line in lines:
            answer = line.getresponse()
            answer.read()
            assert answer.status == 200, (route, answer.status)
    used = server.cpu_seconds() - before
    assert [line.sock for line in lines] == sockets, "a connection was not kept alive"
    for line in lines:
        line.close()
    return used / (requests // CONNECTIONS * CONNECTIONS)


def check_observed(real: Server, requests: int) -> None:
    """A figure of a server that neither logged nor counted would be worth nothing."""
    with urlopen(f"http://127.0.0.1:{real.port}/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    endpoint = 'endpoint="/bench/loop/{item}"'
    counted = [float(line.rpartition(" ")[2]) for line in lines if "http_requests_total{" in line and endpoint in line]
    logged = real.log.read_text().count('"path": "/bench/loop/1"')
    assert counted == [logged] == [requests], (counted, logged, requests)


def ratios(figures: Figures, route: str, kind: str) -> list[float]:
    return [ours / bare for ours, bare in zip(figures[route, kind], figures[route, BARE], strict=True)]


def tell(figures: Figures) -> None:
    print(f"CPU per request, medians; target {TARGET}; load {os.getloadavg()[0]:.1f}")
    for route in ROUTES:
        shown = (f"{kind} {statistics.median(figures[route, kind]):.0f} us"
                 f" = {statistics.median(ratios(figures, route, kind)):.2f} x" for kind in KINDS)  # fmt: skip
        print(f"  {route:17}" + "   ".join(shown))


@contextmanager
def _running(server: Server) -> Iterator[Server]:
    try:
        server.wait_ready()
        yield server
    finally:
        server.stop()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--requests", type=int, default=3000)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
