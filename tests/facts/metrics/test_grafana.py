"""Grafana is asked for real, here a stand-in that answers as it does."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.paths import ROOT
from tradebot_ops.clients.grafana import Grafana
from tradebot_ops.clients.rest import Login
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Address
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.facts.asking import Facts
from tradebot_ops.facts.fact import Effect, NotHere, Skip, Unknown
from tradebot_ops.facts.metrics.grafana import Entry, Shown, entry, newcomer_edits, shown
from tradebot_ops.prodcheck.stages.monitoring.grafana import PANELS
from tradebot_ops.records import Absence, UnavailableServices
from tradebot_ops.settings import Secret, load_settings

HEALTH = "/api/datasources/uid/prometheus/health"
DASHBOARD = "/api/dashboards/uid/trading-bot"
OWN = json.loads((ROOT / "config/grafana/dashboards/trading-bot-dashboard.json").read_text())


class StandIn(ThreadingHTTPServer):
    """``answers`` maps a path to status and document; all but the health want a login: the admin's, whose password
    is ``password``, or of one of ``users``. Only the admin and, with ``editors``, those may make dashboards."""

    password = "right"
    editors = False

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, Any]] = {
            "/api/health": (200, {"database": "ok", "version": "11.6.0"}),
            HEALTH: (200, {"status": "OK", "message": "Successfully queried the Prometheus API."}),
            DASHBOARD: (200, {"dashboard": OWN, "meta": {"provisioned": True}}),
        }
        self.users: dict[str, str] = {}
        self.dashboards: set[str] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def user_of(self, authorization: str) -> str:
        """Empty for a stranger, and for who has a wrong password."""
        name, _, password = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        known = {"admin": self.password} | self.users
        return name if known.get(name) == password else ""

    def write(self, user: str, method: str, path: str, body: Any) -> tuple[int, Any]:
        if method == "POST" and path == "/api/dashboards/db" and (user == "admin" or self.editors):
            self.dashboards.add(body["dashboard"]["uid"])
        elif method == "DELETE" and path.startswith("/api/dashboards/uid/") and user == "admin":
            self.dashboards.remove(path.rpartition("/")[2])
        elif method == "POST" and path == "/api/admin/users" and user == "admin":
            self.users[body["login"]] = body["password"]
            return 200, {"id": 7}
        elif method == "DELETE" and path == "/api/admin/users/7" and user == "admin":
            self.users.clear()
        else:
            return 403, {"message": "Access denied"}
        return 200, {"status": "success"}


class _Handler(BaseHTTPRequestHandler):
    server: StandIn

    def do_GET(self) -> None:
        user = self.server.user_of(self.headers.get("Authorization", ""))
        if self.path != "/api/health" and not user:
            self._send(401, {"message": "Invalid username or password"})
        else:
            self._send(*self.server.answers.get(self.path, (404, {"message": "Not found"})))

    def _write(self) -> None:
        user = self.server.user_of(self.headers.get("Authorization", ""))
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._send(*self.server.write(user, self.command, self.path, json.loads(body or b"null")))

    do_POST = do_DELETE = _write  # noqa: N815 - the base class's names

    def _send(self, status: int, document: Any) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *_args: Any) -> None:  # noqa: A002 - the base class's name
        """Silent."""


@pytest.fixture
def server() -> Iterator[StandIn]:
    with StandIn() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield made
        made.shutdown()
        thread.join(5)


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    environ = {"TRADEBOT_STATE": str(tmp_path), "HOME": str(tmp_path), "TRADEBOT_PROFILES": "monitoring"}
    return Ops(load_settings({"project": "demo"}, environ, ROOT), StubEngine("demo"))


@pytest.fixture
def running(ops: Ops, server: StandIn, monkeypatch: pytest.MonkeyPatch) -> Ops:
    base = f"http://127.0.0.1:{server.server_port}"
    ops.grafana = Grafana(base, Login("admin", Secret("right")), timeout=1)
    ops.grafana_as = lambda user, password: Grafana(base, Login(user, password), timeout=1)  # type: ignore[method-assign]
    monkeypatch.setattr(ops.engine, "endpoint", lambda *_: Address("127.0.0.1", server.server_port))
    return ops


def test_all_is_there(running: Ops) -> None:
    found = Facts(running).value(shown)
    assert isinstance(found, Shown)
    titles = found.dashboards["trading-bot"] or ()
    assert (found.version, found.fault, found.refused, titles[: len(PANELS)]) == ("11.6.0", "", "", PANELS)
    assert all(title.startswith("Bot ") for title in titles[len(PANELS) :])


def test_a_login_that_is_refused_is_an_answer(running: Ops, server: StandIn) -> None:
    server.password = "other"
    found = Facts(running).value(shown)
    assert isinstance(found, Shown)
    assert (found.version, found.refused) == ("11.6.0", "Grafana refused this project's password.")


def test_a_data_source_that_fails_and_a_dashboard_that_is_missing(running: Ops, server: StandIn) -> None:
    server.answers[HEALTH] = (400, {"status": "ERROR", "message": "connection refused"})
    del server.answers[DASHBOARD]
    found = Facts(running).value(shown)
    assert found == Shown("11.6.0", fault="connection refused", dashboards={"trading-bot": None})


def test_one_that_fails_is_unknown(running: Ops, server: StandIn) -> None:
    server.answers["/api/health"] = (503, {"database": "failing"})
    assert Facts(running).value(shown) == Unknown("Grafana failed: HTTP 503.", "tradebot logs grafana --tail 50")


def test_one_that_does_not_run_is_unknown(ops: Ops) -> None:
    found = Facts(ops).value(shown)
    assert isinstance(found, Unknown)
    assert found.why == "Grafana does not run."


def test_where_it_cannot_run_there_is_nothing_to_look_at(ops: Ops) -> None:
    ops.state.store(UnavailableServices({"grafana": Absence("In no package.", "tradebot dash")}))
    assert Facts(ops).value(shown) == NotHere(Skip.PROFILE, "Grafana is not part of this stack here: In no package.")


def test_where_it_is_not_chosen_there_is_nothing_to_look_at(tmp_path: Path) -> None:
    environ = {"TRADEBOT_STATE": str(tmp_path), "HOME": str(tmp_path), "TRADEBOT_PROFILES": "core"}
    core = Ops(load_settings({"project": "demo"}, environ, ROOT), StubEngine("demo"))
    assert Facts(core).value(shown) == NotHere(Skip.PROFILE, "Grafana is not in the chosen profiles.")


def test_who_gets_in_is_asked_as_a_stranger_and_of_the_settings(running: Ops, server: StandIn) -> None:
    settings = {"users": {"allow_sign_up": "false"}, "auth.anonymous": {"enabled": "true"}}
    server.answers["/api/admin/settings"] = (200, settings)
    assert Facts(running).value(entry) == Entry(401, "true", "false")


@pytest.mark.parametrize("editors", [False, True])
def test_a_newcomer_tries_to_edit_and_leaves_nothing_behind(running: Ops, server: StandIn, editors: bool) -> None:
    server.editors = editors
    assert Facts(running).value(newcomer_edits) is editors
    assert (server.users, server.dashboards) == ({}, set())


def test_offline_no_newcomer_is_made(running: Ops, server: StandIn) -> None:
    found = Facts(running, {Effect.WRITES}).value(newcomer_edits)
    assert isinstance(found, NotHere)
    assert found.reason is Skip.OFFLINE
