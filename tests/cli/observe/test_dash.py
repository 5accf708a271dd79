"""`tradebot dash --once` against an API that answers over HTTP, and one that does not."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.cli.conftest import Run
from tests.documents import document
from tradebot_ops.clients.api import Api
from tradebot_ops.context import Ops
from tradebot_ops.settings import Secret


class Backend:
    """What the API answers to the next request, and what it was asked."""

    status = 200
    body: dict[str, Any] = document()
    asked: list[tuple[str, str | None]]

    def __init__(self) -> None:
        self.asked = []


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> Iterator[Backend]:
    state = Backend()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append((self.path, self.headers["X-API-Key"]))
            answer = json.dumps(state.body).encode()
            self.send_response(state.status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            """Nothing into the test's output."""

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        api = Api(f"http://127.0.0.1:{server.server_address[1]}", Secret("the-key"))
        monkeypatch.setattr(Ops, "api", api)
        yield state
        server.shutdown()
        thread.join()
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("columns", [80, 160])
def test_one_look(run: Run, backend: Backend, columns: int, snapshot: SnapshotAssertion) -> None:
    assert str(run("dash", "--once", "--range", "15m", columns=columns)) == snapshot
    assert backend.asked == [("/dashboard/panels?range=15m", "the-key")]


def test_without_a_terminal_it_is_one_look(run: Run, backend: Backend) -> None:
    assert run("dash").stdout == run("dash", "--once").stdout != ""


def test_json_is_the_api_s_document(run: Run, backend: Backend) -> None:
    shown = run("dash", "--json")
    envelope = json.loads(shown.stdout)
    assert (shown.exit_code, envelope["ok"], envelope["data"]) == (1, False, document())
    assert [error["code"] for error in envelope["errors"]] == ["dash.error", "dash.error"]


def test_what_nobody_could_see_is_a_warning(run: Run, backend: Backend) -> None:
    well = [panel for panel in document()["panels"] if panel["status"] == "ok"]
    backend.body = document(status="ok", panels=well, firing=None, firing_note="away", events=[], events_note="slow")
    shown = run("dash", "--once")
    assert shown.exit_code == 0
    assert "Whether alerts fire is not known: away." in shown.stdout + shown.stderr
    assert "Events may be missing: slow." in shown.stdout + shown.stderr
    assert "No alert fires." not in shown.stdout


def test_any_range_will_do(run: Run, backend: Backend) -> None:
    run("dash", "--once", "--range", "90m")
    assert backend.asked == [("/dashboard/panels?range=90m", "the-key")]


def test_an_api_of_an_older_version_has_neither_alerts_nor_events(run: Run, backend: Backend) -> None:
    new = ("firing", "firing_note", "events", "events_note", "end")
    backend.body = {name: value for name, value in document().items() if name not in new}
    assert "TB-0199" not in run("dash", "--once").stderr


def test_old_and_empty_panels_alone_are_no_failure(run: Run, backend: Backend) -> None:
    well = [panel for panel in document()["panels"] if panel["status"] != "error"]
    backend.body = document(status="ok", note="", panels=well)
    assert run("dash", "--once").exit_code == 0


def test_without_prometheus_there_is_nothing_to_show(run: Run, backend: Backend, snapshot: SnapshotAssertion) -> None:
    backend.body = document(status="unavailable", note="Monitoring is unavailable: Prometheus is away.")
    assert str(run("dash", "--once")) == snapshot


def test_a_wrong_range_is_refused_before_anybody_is_asked(
    run: Run, backend: Backend, snapshot: SnapshotAssertion
) -> None:
    assert str(run("dash", "--range", "2y")) == snapshot
    assert backend.asked == []


@pytest.mark.parametrize(("status", "code"), [(401, "TB-0502"), (503, "TB-0508")])
def test_an_api_that_refuses_or_fails_exits_5(run: Run, backend: Backend, status: int, code: str) -> None:
    backend.status, backend.body = status, {"detail": "It says no."}
    shown = run("dash", "--once")
    assert (shown.exit_code, code in shown.stderr, "It says no." in shown.stderr) == (5, True, True)


def test_an_api_that_is_away_exits_5(run: Run, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion) -> None:
    monkeypatch.setattr(Ops, "api", Api("http://127.0.0.1:1", Secret("the-key")))
    assert str(run("dash", "--once")) == snapshot
