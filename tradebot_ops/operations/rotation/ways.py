"""How each secret is changed while the stack works: the new value is taken beside the old one, then the old one goes.

Each way can begin again after a kill at any of its steps, and leaves at each of them a stack that works.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tradebot_ops.context import POSTGRES_MONITOR, Ops
from tradebot_ops.errors import Refused
from tradebot_ops.operations.rotation.pending import Pending
from tradebot_ops.operations.rotation.proof import is_taken, prove_refused, prove_taken, runs
from tradebot_ops.operations.rotation.readers import (
    alertmanager_password,
    grafana_admin_password,
    prometheus_password,
    restarted,
)
from tradebot_ops.operations.secrets import acl, redis_exporter_login
from tradebot_ops.private_folder import overwrite
from tradebot_ops.settings import Secret

if TYPE_CHECKING:
    from tradebot_ops.clients.redis import Redis

#: Redis' user of the exporter.
EXPORTER = "exporter"


@dataclass(frozen=True)
class Way:
    """``opens`` says what a secret is for; without ``change`` it cannot be changed so, and ``why`` is the sentence.

    With ``needs`` it can be while that service runs, or cannot run on this host at all. One that is ``given`` was made
    elsewhere: it can be imported at any time, and is read anew whenever it is used.
    """

    opens: str
    change: Callable[[Ops, Pending], None] | None = None
    why: str = ""
    needs: str = ""
    given: bool = False

    def obstacle(self, ops: Ops) -> str:
        """The sentence where it cannot be changed now; empty where it can."""
        here = not self.needs or self.needs in ops.unavailable or runs(ops, self.needs)
        return "" if self.change and here else self.why


def redis_password(ops: Ops, pending: Pending) -> None:
    """Redis takes both while services, which read the file at each connection, come to use the new one."""
    old, new = pending.old, pending.new
    file = ops.secret_file(pending.name)
    if not runs(ops, "redis"):
        _write_acl(ops, new)
        overwrite(file, new.reveal())
        return
    client = _redis(ops, old)
    try:
        client.acl_whoami()
    except Refused:  # a rotation that was killed may have come so far
        client = _redis(ops, new)
    _write_acl(ops, old, new)
    client.take_passwords("default", (old, new))
    overwrite(file, new.reveal())
    ops.__dict__.pop("redis", None)  # that client has the old one
    _redis(ops, new).acl_whoami()
    _write_acl(ops, new)
    _redis(ops, new).take_passwords("default", (new,))
    prove_refused(pending, lambda: _redis(ops, old).acl_whoami())


def postgres_app_password(ops: Ops, pending: Pending) -> None:
    """Postgres knows one password only, so for a moment the file holds both: services try the second, too."""
    old, new = pending.old, pending.new
    file = ops.secret_file(pending.name)
    user = app_user(ops)
    with ops.postgres.session() as session:
        overwrite(file, f"{old.reveal()}\n{new.reveal()}")
        session.set_password(user, new)
    overwrite(file, new.reveal())
    ops.__dict__.pop("postgres_app", None)
    ops.postgres_as(user, new, "postgres").rows("SELECT 1")
    prove_refused(pending, lambda: ops.postgres_as(user, old, "postgres").rows("SELECT 1"))


def postgres_password(ops: Ops, pending: Pending) -> None:
    """No service that runs uses it: commands and migrations read the file whenever they log in."""
    environ = ops.stack.services["postgres"].environment if "postgres" in ops.stack.services else {}
    _role(ops, pending, environ.get("POSTGRES_USER", "postgres"))


def postgres_exporter_password(ops: Ops, pending: Pending) -> None:
    """The exporter reads the file when it starts, and its open connection lasts until then: so it is restarted last."""
    _role(ops, pending, POSTGRES_MONITOR)
    restarted(ops, "postgres-exporter")


def _role(ops: Ops, pending: Pending, user: str) -> None:
    """Postgres knows one password of an account; the owner may be the account, with the one or the other by now."""

    def logs_in(password: Secret) -> None:
        ops.postgres_as(user, password, "postgres").rows("SELECT 1")

    if not is_taken(lambda: logs_in(pending.new)):
        with ops.postgres.session() as session:
            session.set_password(user, pending.new)
    overwrite(ops.secret_file(pending.name), pending.new.reveal())
    for cached in ("postgres", "postgres_monitor"):
        ops.__dict__.pop(cached, None)
    logs_in(pending.new)
    prove_refused(pending, lambda: logs_in(pending.old))


def redis_exporter_password(ops: Ops, pending: Pending) -> None:
    """Redis takes both until the exporter, which reads the file when it starts, was restarted."""
    old, new = pending.old, pending.new
    own = ops.secret("redis_password")
    running = runs(ops, "redis")
    if running:
        _write_acl(ops, own, exporters=(old, new))
        _redis(ops, own).take_passwords(EXPORTER, (old, new))
    overwrite(ops.secret_file(pending.name), new.reveal())
    login = ops.secret_file("redis_exporter_login")
    if login.is_file():
        overwrite(login, redis_exporter_login({pending.name: new.reveal()}, ""))
    restarted(ops, "redis-exporter")
    _write_acl(ops, own, exporters=(new,))
    if running:
        _redis(ops, own).take_passwords(EXPORTER, (new,))
        prove_taken(pending, "redis", lambda: _redis(ops, new, EXPORTER).ping_latencies(1))
        prove_refused(pending, lambda: _redis(ops, old, EXPORTER).ping_latencies(1))


def api_key(ops: Ops, pending: Pending) -> None:
    """The API reads the file at each request, and takes the value before for ten seconds more."""

    def use(key: Secret) -> None:
        from tradebot_ops.clients.api import Api

        Api(_api(ops), key, trust=ops.trust("api")).prunable(1e9, ["succeeded"])

    _through_the_api(ops, pending, use)
    ops.__dict__.pop("api", None)


def alert_token(ops: Ops, pending: Pending) -> None:
    """As for the API key; Alertmanager reads the file whenever it sends."""

    def use(token: Secret) -> None:
        from tradebot_ops.clients.api import Api

        Api(_api(ops), token, trust=ops.trust("api")).check_alert_token(token)

    _through_the_api(ops, pending, use)


def app_user(ops: Ops) -> str:
    """The account of API and workers."""
    environ = ops.stack.services["api"].environment if "api" in ops.stack.services else {}
    return urlsplit(environ.get("DATABASE_URL", "")).username or "tradebot_app"


def _through_the_api(ops: Ops, pending: Pending, use: Callable[[Secret], None]) -> None:
    overwrite(ops.secret_file(pending.name), pending.new.reveal())
    if runs(ops, "api"):  # else it reads the file when it starts
        prove_taken(pending, "api", lambda: use(pending.new))
        prove_refused(pending, lambda: use(pending.old))


def _redis(ops: Ops, password: Secret, user: str | None = None) -> "Redis":
    from tradebot_ops.clients.redis import Redis

    address = ops.engine.endpoint("redis", 6379)
    return Redis(address.host, address.port, password, user)


def _api(ops: Ops) -> str:
    return ops.url("api", ops.engine.endpoint("api", 8010))


def _write_acl(ops: Ops, *passwords: Secret, exporters: Sequence[Secret] = ()) -> None:
    """For a Redis that starts in between; a stack of one's own may have no such file."""
    file = ops.secret_file("redis_acl")
    if file.is_file():
        statistics = exporters or (ops.secret("redis_exporter_password"),)
        overwrite(file, acl([each.reveal() for each in passwords], [each.reveal() for each in statistics]))


#: By the name in compose.yaml.
WAYS = {
    "alert_token": Way("Alertmanager's way into the API", alert_token),
    "alertmanager_password": Way("Alertmanager's page", alertmanager_password),
    "api_key": Way("writing through the API, and its dashboard", api_key),
    "bot_password": Way(
        "the bot that is watched",
        why="the bot has it from its own configuration: change it there, and import it here",
        given=True,
    ),
    "grafana_admin_password": Way(
        "Grafana as admin",
        grafana_admin_password,
        "Grafana keeps it in a database of its own, and does not run",
        "grafana",
    ),
    "postgres_app_password": Way("Postgres as API and workers", postgres_app_password),
    "postgres_exporter_password": Way("Postgres' statistics", postgres_exporter_password),
    "postgres_password": Way("Postgres as the owner of the database", postgres_password),
    "prometheus_password": Way("Prometheus' page", prometheus_password),
    "redis_exporter_password": Way("Redis' statistics", redis_exporter_password),
    "redis_password": Way("Redis as API and workers", redis_password),
}
