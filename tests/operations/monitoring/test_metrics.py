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
    body = b"# HELP worker_busy x\nworker_busy 1.0\n"

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Not on the test's output."""


class Broken(Answer):
    status = 503


class Page(Answer):
    body = b"<html><body>Welcome to nginx!</body></html>"


@pytest.fixture
def ops(tmp_path: Path) -> Iterator[Ops]:
    """Worker 1 answers, 2 with an error, 3 with no metrics; nobody listens at 4, and 5 has no address."""
    servers = [HTTPServer(("127.0.0.1", 0), handler) for handler in (Answer, Broken, Page)]
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
    for number in (1, 2, 3, 4, 5):
        engine.apply(made.stack, "worker", number)
    yield made
    for server in servers:
        server.shutdown()
        server.server_close()


def test_who_does_not_answer_is_a_finding_and_the_others_are_shown(ops: Ops) -> None:
    report = metrics.worker(ops, None, every=True, raw=False)
    assert report.data == {"worker-1": [{"metric": "worker_busy", "labels": "", "value": "1.0"}]}
    assert [section.title for section in report.sections] == ["worker-1"]
    assert [finding.id for finding in report.findings] == ["TB-0509"] * 4
    said = [finding.message for finding in report.findings]
    assert "Worker 2 at 127.0.0.1:" in said[0]
    assert "answers HTTP 503" in said[0]
    assert "answers with something else than metrics: " in said[1]
    assert "does not answer" in said[2]
    assert said[3] == "Worker 5 cannot be asked: worker 5 is not running."
    assert report.exit_code == 5


@pytest.mark.parametrize("number", [2, 3, 4, 5])
def test_a_single_one_that_does_not_answer_is_the_error(ops: Ops, number: int) -> None:
    with pytest.raises(OpsError) as caught:
        metrics.worker(ops, number, every=False, raw=False)
    assert caught.value.code == "TB-0509"


def test_raw_shows_even_what_is_no_metrics(ops: Ops) -> None:
    assert metrics.worker(ops, 3, every=False, raw=True).data == {"worker-3": Page.body.decode()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('a{x="1} 2",y="say \\"hi\\""} 3\n', ("a", r'x="1} 2", y="say \"hi\""', "3.0")),
        ('b_total{path="C:\\\\n"} 4 # {trace_id="9} 9"} 0.5\n', ("b_total", r'path="C:\\n"', "4.0")),
        ("  c{} NaN\n", ("c", "", "NaN")),
        ("d +Inf 1700000000000\n", ("d", "", "+Inf")),
        ("e 1e-3\n", ("e", "", "0.001")),
    ],
)
def test_samples_are_read_as_prometheus_reads_them(text: str, expected: tuple[str, str, str]) -> None:
    assert metrics.parse(text) == [expected]


def test_what_is_too_much_for_a_screen_is_left_out() -> None:
    text = """# TYPE h histogram
h_bucket{le="+Inf"} 1
h_count 1
h_sum 2
h_created 3
python_info 1
"""
    assert metrics.parse(text) == [("h_count", "", "1.0"), ("h_sum", "", "2.0")]


@pytest.mark.parametrize("text", ["<html>\n", "a{ 1\n", "a one\n"])
def test_what_is_no_metrics_is_an_error(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the words are the parser's
        metrics.parse(text)
