"""Metrics of all workers, though some do not answer."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.seen import refusal, whole
from tests.paths import ROOT
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Address
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import NoAddress, OpsError
from tradebot_ops.monitoring.contract import Metric
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


TEXT = '# TYPE a gauge\na{x="1"} 3\n# TYPE b gauge\nb 4\n'


def test_screens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion) -> None:
    declared = [Metric("b", "gauge", frozenset({"z", "y"}), "api"), Metric("a", "counter", frozenset(), "worker")]
    monkeypatch.setattr("tradebot_ops.facts.metrics.config_files.declared", lambda _: [declared[1], declared[0]])
    monkeypatch.setattr(metrics, "scrape", lambda _, number: TEXT)
    there = [SimpleNamespace(service="worker", number=number) for number in (2, 3)]
    engine = SimpleNamespace(list=lambda: [SimpleNamespace(service="api", number=1), *there])
    ops: Any = SimpleNamespace(engine=engine, api=SimpleNamespace(metrics=lambda: TEXT))
    seen = [metrics.api(ops, raw=False), metrics.api(ops, raw=True), metrics.list_(ops)]
    seen += [metrics.worker(ops, None, every=every, raw=raw) for every in (False, True) for raw in (False, True)]
    seen.append(metrics.worker(ops, 3, every=False, raw=False))
    del there[1]
    engine.list = lambda: there
    seen.append(metrics.worker(ops, None, every=True, raw=False))
    assert "\n\n".join(map(whole, seen)) == snapshot


def test_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    workers = [SimpleNamespace(service="worker", number=number) for number in (2, 3)]
    monkeypatch.setattr(metrics, "scrape", lambda _, number: "<html>")
    seen = []
    for there, number in (([], None), (workers, 1), (workers, 2)):
        ops: Any = SimpleNamespace(engine=SimpleNamespace(list=lambda there=there: there))
        with pytest.raises(OpsError) as caught:
            metrics.worker(ops, number, every=False, raw=False)
        seen.append(refusal(caught.value))
    assert seen[:2] == [
        ("TB-0114", "There is no worker.", "tradebot up"),
        ("TB-0218", "There is no worker 1.", "Workers: 2, 3."),
    ]
    code, message, hint = seen[2]
    assert (code, hint) == ("TB-0509", "See the answer itself: the same command with --raw")
    assert message.startswith("Worker 2 answers with something else than metrics: ")
    assert message.endswith(".")
    ops = SimpleNamespace(api=SimpleNamespace(metrics=lambda: "<html>"))
    with pytest.raises(OpsError, match="^The API answers with something else"):
        metrics.api(ops, raw=False)


LABELS = frozenset({"status", "job_type", "method", "endpoint", "instance", "queue", "device", "mode"})


def test_declared_metrics_are_listed_by_who_emits_them_with_their_labels_in_order(
    ops: Ops, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [
        Metric("b_total", "counter", LABELS, "worker"),
        Metric("a", "gauge", frozenset(), "worker"),
        Metric("c", "gauge", frozenset({"type"}), "api"),
    ]
    monkeypatch.setattr("tradebot_ops.facts.metrics.config_files.declared", lambda _ops: found)
    report = metrics.list_(ops)
    assert report.sections[0].tables[0].rows == (
        ("c", "gauge", "type", "api"),
        ("a", "gauge", "", "worker"),
        ("b_total", "counter", ", ".join(sorted(LABELS)), "worker"),
    )
    assert isinstance(report.data, list)
    assert [(each["name"], each["labels"]) for each in report.data] == [
        ("c", ["type"]), ("a", []), ("b_total", sorted(LABELS)),
    ]  # fmt: skip
