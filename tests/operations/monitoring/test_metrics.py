"""Metrics of all workers, though some do not answer."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.paths import ROOT
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Address
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import NoAddress, OpsError
from tradebot_ops.operations.monitoring import metrics
from tradebot_ops.settings import load_settings


class Answer(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(b"# HELP worker_busy x\nworker_busy 1.0\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Not on the test's output."""


class Broken(Answer):
    status = 503


@pytest.fixture
def ops(tmp_path: Path) -> Iterator[Ops]:
    """Worker 1 answers, 2 with an error page, nobody listens at 3, and 4 has no address."""
    servers = [HTTPServer(("127.0.0.1", 0), handler) for handler in (Answer, Broken)]
    gone = HTTPServer(("127.0.0.1", 0), Answer)
    ports = [server.server_address[1] for server in (*servers, gone)]
    gone.server_close()
    for server in servers:
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    class Engine(StubEngine):
        def endpoint(self, service: str, port: int, number: int = 1) -> Address:
            if number <= len(ports):
                return Address("127.0.0.1", ports[number - 1])
            raise NoAddress(f"{service} {number} is not running.", code="TB-0507")

    settings = load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(tmp_path), "HOME": str(tmp_path)}, ROOT)
    engine = Engine("demo")
    made = Ops(settings, engine)
    engine.prepare(made.stack, lambda service, line: None)
    for number in (1, 2, 3, 4):
        engine.apply(made.stack, "worker", number)
    yield made
    for server in servers:
        server.shutdown()
        server.server_close()


def test_who_does_not_answer_is_a_finding_and_the_others_are_shown(ops: Ops) -> None:
    report = metrics.worker(ops, None, every=True, raw=False)
    assert report.data == {"worker-1": [{"metric": "worker_busy", "labels": "", "value": "1.0"}]}
    assert [section.title for section in report.sections] == ["worker-1"]
    assert [finding.id for finding in report.findings] == ["TB-0509"] * 3
    said = [finding.message for finding in report.findings]
    assert "Worker 2 at 127.0.0.1:" in said[0]
    assert "answers HTTP 503" in said[0]
    assert "does not answer" in said[1]
    assert said[2] == "Worker 4 cannot be asked: worker 4 is not running."
    assert report.exit_code == 5


@pytest.mark.parametrize("number", [2, 3, 4])
def test_a_single_one_that_does_not_answer_is_the_error(ops: Ops, number: int) -> None:
    with pytest.raises(OpsError) as caught:
        metrics.worker(ops, number, every=False, raw=False)
    assert caught.value.code == "TB-0509"
