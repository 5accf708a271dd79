"""Each route has its role in the one table, and the table has no other; what a role may do, and what is loopback."""

from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from services.api.access.roles import ADMINISTERS, NEEDS, OPEN, PANELS, READS, Need, Role, needed, on_loopback
from services.api.app import ROUTERS, create_app
from services.common.jobtypes import Registry
from services.common.settings import Settings
from tests.paths import ROOT

ROUTES = {
    (method, route.path_format)
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute)
    for method in route.methods or ()
}
#: Whatever else changes something asks for a login or a token of its own.
OTHER_DOORS = {("POST", "/dashboard/login"), ("POST", "/dashboard/logout"), ("POST", "/alerts/webhook")}


def test_every_route_is_in_the_table_and_nothing_else() -> None:
    assert NEEDS.keys() == ROUTES


def test_every_operation_of_the_description_is_in_the_table() -> None:
    paths = create_app(Settings(), Registry()).openapi()["paths"]
    described = {(method.upper(), path) for path, operations in paths.items() for method in operations}
    assert described
    assert described <= NEEDS.keys()


def test_what_changes_something_needs_more_than_reading() -> None:
    changing = {route: need for route, need in NEEDS.items() if route[0] != "GET"}
    assert {route for route, need in changing.items() if need == OPEN} == OTHER_DOORS
    assert all(need.role in {Role.OPERATE, Role.ADMIN} for need in changing.values() if need != OPEN)
    assert not any(need.outside or need.looks for need in changing.values())


#: What is said in docs/secrets.md of the two roles that change something, and the routes that do it.
SAID = {
    Role.OPERATE: {
        "submit": [("POST", "/jobs")],
        "cancel": [("DELETE", "/jobs/{job_id}")],
        "replay jobs": [("POST", "/dead-letters/{job_id}/replay"), ("POST", "/jobs/recover")],
        "pause and limit queues": [("PATCH", "/queues/{type}")],
        "halt and resume the stack": [("POST", "/halt"), ("POST", "/bots/halt"), ("DELETE", "/halt")],
        "drain workers": [("POST", "/workers/{name}/drain"), ("POST", "/workers/{name}/resume")],
        "reset breakers": [("POST", "/breakers/{name}/reset")],
        "set schedules": [(verb, "/schedules/{name}") for verb in ("PUT", "PATCH", "DELETE")],
        "acknowledge alerts": [("POST", "/alerts/ack")],
        "upload prices": [("PUT", "/candle-files/{name}")],
    },
    Role.ADMIN: {
        "prune": [("POST", "/jobs/prune")],
        "purge": [("DELETE", "/dead-letters/{job_id}"), ("POST", "/queues/{type}/purge")],
        "quarantine": [(verb, "/dead-letters/quarantine/{name}") for verb in ("PUT", "DELETE")],
        "remove prices": [("DELETE", "/candle-files/{name}"), ("DELETE", "/series/{interval}/{symbol}")],
        "hand over the jobs of a worker": [("DELETE", "/workers/{name}")],
        "make and revoke keys": [("POST", "/keys"), ("DELETE", "/keys/{name}")],
    },
}


@pytest.mark.parametrize("role", SAID)
def test_a_role_changes_what_the_guide_says_and_nothing_else(role: Role) -> None:
    page = (ROOT / "docs" / "secrets.md").read_text(encoding="utf-8")
    [row] = (line for line in page.splitlines() if line.startswith(f"| `{role}` |"))
    assert [words for words in SAID[role] if words not in row] == []
    changing = {route for route, need in NEEDS.items() if route[0] != "GET" and need.role is role}
    assert changing == {route for routes in SAID[role].values() for route in routes}


def test_what_can_be_read_without_a_key_on_loopback_is_told_beyond_it_to_readers_only() -> None:
    open_to_all = {path for (method, path), need in NEEDS.items() if method == "GET" and need == OPEN}
    assert open_to_all == {
        "/", "/docs", "/openapi.json", "/metrics", "/health", "/health/live", "/health/ready",
        "/dashboard", "/dashboard/jobs/{job_id}", "/dashboard/login", "/dashboard/static/{path}",
    }  # fmt: skip
    assert {NEEDS["GET", path] for path in ("/jobs", "/alerts", "/errors", "/workers")} == {READS}
    assert NEEDS["GET", "/dashboard/panels"] == PANELS
    assert NEEDS["GET", "/bots"] == Need(Role.READ), "what a bot holds is told to nobody without a key"
    assert NEEDS["GET", "/keys"] == NEEDS["GET", "/api-calls"] == ADMINISTERS


def test_a_route_that_nobody_thought_of_needs_the_most() -> None:
    assert needed("GET", "/new") == ADMINISTERS


@pytest.mark.parametrize(
    ("has", "may"),
    [(Role.READ, {"read"}), (Role.OPERATE, {"read", "operate"}), (Role.ADMIN, {"read", "operate", "admin"})],
)
def test_each_role_may_do_what_the_ones_before_it_may(has: Role, may: set[str]) -> None:
    assert {each.value for each in Role if has.covers(each)} == may


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("[::1]", True), ("localhost", True),
        ("0.0.0.0", False), ("::", False), ("192.168.1.5", False), ("example.org", False), ("", False),
    ],
)  # fmt: skip
def test_loopback_is_what_only_this_host_reaches(host: str, loopback: bool) -> None:
    assert on_loopback(host) is loopback


@pytest.mark.parametrize(
    ("given", "published"),
    [
        ({}, "0.0.0.0"),
        ({"api_listen": "127.0.0.1:8010"}, "127.0.0.1"),
        ({"api_listen": "0.0.0.0:8010", "api_published_on": "127.0.0.1"}, "127.0.0.1"),
        ({"api_listen": "127.0.0.1:8010", "api_published_on": "0.0.0.0"}, "0.0.0.0"),
    ],
)
def test_where_nobody_says_so_the_api_is_where_it_listens(
    given: dict[str, str], published: str, tmp_path: Path
) -> None:
    assert Settings(**given).published_on() == published  # type: ignore[arg-type]
