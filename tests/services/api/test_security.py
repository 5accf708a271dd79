"""Who is let in where: by no key, the stack's own, a named one, a login of the dashboard, or Alertmanager's token."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from services.api import security
from services.api.access.keys import Key
from services.api.access.roles import ADMINISTERS, HOLDINGS, OPEN, OPERATES, PANELS, READS, Need, Role
from services.api.problems import Problem
from services.api.security import Caller, acting, require, require_alert_token

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Live:
    """A secret that was changed: the one before is not taken any more."""

    def __init__(self, text: str) -> None:
        self.text = text

    def accepts(self, given: str) -> bool:
        return given == self.text


class Keys:
    """Named keys by what is given."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.known = {
            "reader": key("reader", Role.READ),
            "operator": key("operator", Role.OPERATE),
            "admin": key("admin", Role.ADMIN),
            "expired": key("expired", Role.ADMIN, expires_at=NOON - HOUR),
            "revoked": key("revoked", Role.ADMIN, revoked_at=NOON - HOUR),
        }

    def find(self, text: str) -> Key | None:
        return self.known.get(text)

    def used(self, found: Key) -> None:
        self.seen.append(found.name)

    def clock(self) -> datetime:
        return NOON


def key(name: str, role: Role, *, expires_at: datetime | None = None, revoked_at: datetime | None = None) -> Key:
    return Key("1", name, role, NOON, "ana", expires_at, None, revoked_at, None)


def world(*, on_loopback: bool = True, own: str | None = "own") -> Any:
    return SimpleNamespace(
        on_loopback=on_loopback,
        api_key=None if own is None else Live(own),
        keys=Keys(),
        sessions=SimpleNamespace(valid=lambda cookie: cookie == "signed"),
        alert_token=Live("token"),
    )


def request(given: str | None = None, cookie: str | None = None) -> Any:
    return SimpleNamespace(
        headers={} if given is None else {"X-API-Key": given},
        cookies={} if cookie is None else {"tradebot_dashboard_8010": cookie},
        url=SimpleNamespace(port=8010, scheme="http"),
        state=SimpleNamespace(),
    )


def status(need: Need, dependencies: Any, given: str | None = None, cookie: str | None = None) -> int:
    """The answer to whoever asks so; 200 where that is let in."""
    try:
        require(need, request(given, cookie), dependencies)
    except Problem as problem:
        return problem.status
    return 200


@pytest.mark.parametrize(
    ("need", "answers"),
    [
        # none, wrong, reader, operator, admin, the stack's own
        (OPEN, [200, 200, 200, 200, 200, 200]),
        (READS, [401, 401, 200, 200, 200, 200]),
        (PANELS, [401, 401, 200, 200, 200, 200]),
        (HOLDINGS, [401, 401, 200, 200, 200, 200]),
        (OPERATES, [401, 401, 403, 200, 200, 200]),
        (ADMINISTERS, [401, 401, 403, 403, 200, 200]),
    ],
)
def test_who_is_let_in_from_beyond_this_host(need: Need, answers: list[int]) -> None:
    dependencies = world(on_loopback=False)
    given = (None, "wrong", "reader", "operator", "admin", "own")
    assert [status(need, dependencies, each) for each in given] == answers
    assert dependencies.keys.seen == ([] if need == OPEN else ["reader", "operator", "admin"])


@pytest.mark.parametrize("need", [OPEN, READS, PANELS, HOLDINGS, OPERATES, ADMINISTERS])
def test_on_this_host_only_what_is_no_secret_needs_no_key(need: Need) -> None:
    assert status(need, world()) == (200 if need in {OPEN, READS} else 401)


@pytest.mark.parametrize("need", [READS, PANELS, HOLDINGS, OPERATES, ADMINISTERS])
def test_a_login_of_the_dashboard_looks_and_does_nothing_else(need: Need) -> None:
    dependencies = world(on_loopback=False)
    assert status(need, dependencies, cookie="signed") == (200 if need in {READS, PANELS} else 401)
    assert status(need, dependencies, cookie="forged") == 401
    assert status(need, dependencies, "wrong", "signed") == 401, "whoever sends a key is known by it"
    dependencies.sessions = None
    assert status(need, dependencies, cookie="signed") == 401


@pytest.mark.parametrize(("name", "how"), [("expired", "expired"), ("revoked", "was revoked")])
def test_a_key_that_has_ended_says_so_to_who_has_all_of_it(name: str, how: str) -> None:
    dependencies = world()
    with pytest.raises(Problem, match=rf"^The API key {name} {how} on 2026-11-28 11:00:00 UTC\.$") as caught:
        require(OPERATES, request(name), dependencies)
    assert caught.value.status == 401
    assert dependencies.keys.seen == []


def test_an_api_without_a_key_takes_none() -> None:
    dependencies = world(own=None)
    assert [status(OPERATES, dependencies, given) for given in (None, "own", "admin")] == [403, 403, 403]


def test_what_is_missing_is_said_with_what_would_do() -> None:
    for need, said in ((OPERATES, "The header X-API-Key is missing."), (PANELS, "Log in at /dashboard/login")):
        with pytest.raises(Problem, match=said) as caught:
            require(need, request(), world())
        assert caught.value.headers, "who asks is to learn which kind of login it is"


def test_a_caller_is_known_to_what_follows() -> None:
    asked = request("operator")
    require(OPERATES, asked, world())
    assert asked.state.caller == Caller("operator", Role.OPERATE)
    asked = request("own")
    require(ADMINISTERS, asked, world())
    assert asked.state.caller == Caller(None, Role.ADMIN)


@pytest.mark.parametrize(
    ("caller", "called", "by"),
    [
        (Caller("nightly", Role.OPERATE), None, "key:nightly"),
        (Caller("nightly", Role.OPERATE), "ana@host", "key:nightly"),
        (Caller(None, Role.ADMIN), "ana@host", "ana@host"),
        (Caller(None, Role.ADMIN), None, "api"),
        (None, "ana@host", "ana@host"),
        (None, None, "api"),
    ],
)
def test_a_named_key_can_call_itself_nothing_else(caller: Caller | None, called: str | None, by: str) -> None:
    assert acting(caller, called) == by


@pytest.mark.parametrize(
    ("header", "let_in"),
    [
        ("Bearer token", True), ("bearer token", True), ("BEARER token", True), ("Bearer wrong", False),
        ("Basic token", False), ("token", False), ("Bearer ", False), ("", False), (None, False),
    ],
)  # fmt: skip
def test_alerts_come_with_alertmanagers_token(header: str | None, let_in: bool) -> None:
    if let_in:
        require_alert_token(world(), header)
        return
    with pytest.raises(Problem) as caught:
        require_alert_token(world(), header)
    assert (caught.value.status, caught.value.headers) == (401, {"WWW-Authenticate": "Bearer"})


def test_without_a_token_no_alert_is_taken() -> None:
    dependencies = world()
    dependencies.alert_token = None
    with pytest.raises(Problem) as caught:
        security.require_alert_token(dependencies, "Bearer token")
    assert caught.value.status == 403
