"""Default logins are tried where something runs; passwords are measured and never shown."""

import pytest

from tests.facts.metrics.test_grafana import StandIn, ops, running, server  # noqa: F401 - fixtures
from tradebot_ops.clients.grafana import Grafana
from tradebot_ops.clients.rest import Login
from tradebot_ops.context import Ops
from tradebot_ops.facts.access import logins
from tradebot_ops.facts.asking import Facts
from tradebot_ops.facts.fact import Unknown
from tradebot_ops.facts.stores import redis
from tradebot_ops.facts.stores.redis import Anonymous
from tradebot_ops.records import Absence, UnavailableServices
from tradebot_ops.settings import Secret

ANONYMOUS = redis.anonymous


class Postgres:
    def __init__(self, opens: str) -> None:
        self.opens = opens
        self.tried: list[str] = []

    def __call__(self, user: str, password: Secret, database: str) -> "Postgres":
        assert database == logins.TRIED
        self.tried.append(f"{user}/{password.reveal()}")
        return self

    def refusal(self) -> str:
        return "" if self.tried[-1] == self.opens else "Postgres refused the login."


@pytest.fixture
def stores(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> Ops:  # noqa: F811
    ops.state.store(UnavailableServices({"grafana": Absence("In no package.", "tradebot dash")}))
    ops.postgres_as = Postgres("")  # type: ignore[method-assign,assignment]
    monkeypatch.setattr(redis, "anonymous", lambda _ops: Anonymous(refused=True, answer="NOAUTH"))
    return ops


def test_each_is_tried_and_what_cannot_run_here_is_left_out(stores: Ops) -> None:
    found = logins.defaults(stores)
    assert not any(attempt.open for attempt in found)
    assert [attempt.login.partition(" ")[0] for attempt in found] == ["Redis", "Postgres", "Postgres", "Postgres"]


def test_one_that_works_is_an_answer_though_another_is_silent(stores: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis, "anonymous", ANONYMOUS)
    silent = Facts(stores).value(logins.defaults)
    assert isinstance(silent, Unknown), "Redis does not run, and none worked"
    stores.postgres_as = Postgres("postgres/postgres")  # type: ignore[method-assign,assignment]
    assert [attempt.login for attempt in logins.defaults(stores) if attempt.open] == ["Postgres postgres/postgres"]


@pytest.mark.parametrize(
    ("password", "own", "opens"),
    [("right", "right", False), ("admin", "right", True), ("admin", "admin", True), ("other", "right", False)],
)
def test_grafana_is_tried_with_its_own_password_first(
    running: Ops,  # noqa: F811
    server: StandIn,  # noqa: F811
    password: str,
    own: str,
    opens: bool,
) -> None:
    server.password = password
    server.answers["/api/org"] = (200, {"id": 1})
    base = f"http://127.0.0.1:{server.server_port}"
    running.grafana = Grafana(base, Login("admin", Secret(own)))
    running.grafana_as = lambda user, password: Grafana(base, Login(user, password))  # type: ignore[method-assign]
    running.state.write("secrets/grafana_admin_password", own)
    assert logins._grafana(running)[0] is opens


def test_secrets_are_measured_and_not_shown(ops: Ops) -> None:  # noqa: F811
    for name, secret in ops.stack.secrets.items():
        if not secret.derive:
            ops.state.write(
                f"secrets/{name}", "aaaaaaaaaaaaaaaaaaaaaaaa" if name == "api_key" else "Zq3-x_8LkP0vR7tYw2bN5mH1"
            )
    found = {each.name: each for each in logins.strengths(ops)}
    assert "redis_acl" not in found
    assert (found["api_key"].length, found["api_key"].bits) == (24, 0.0)
    assert found["redis_password"].bits > 60
    assert "aaaa" not in repr(found)


def test_length_alone_is_no_strength() -> None:
    assert logins.bits("passwordpassword") < 60 < logins.bits("Zq3-x_8LkP0vR7tYw2bN5mH1")
    assert logins.bits("") == 0
