"""How each secret is changed while the stack works: the new value is taken beside the old one, then the old one goes.

Each way can begin again after a kill at any of its steps, and leaves at each of them a stack that works.
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tradebot_ops.context import Ops
from tradebot_ops.errors import LoginRefused, OpsError, Refused
from tradebot_ops.operations.rotation.pending import Pending
from tradebot_ops.operations.secrets import acl
from tradebot_ops.private_folder import overwrite
from tradebot_ops.settings import Secret

if TYPE_CHECKING:
    from tradebot_ops.clients.redis import Redis

#: The API takes the value before for ten seconds more; so long it is asked until it does not.
OLD_GOES_WITHIN_S = 20.0
NEW_COMES_WITHIN_S = 5.0
PAUSE_S = 0.5


@dataclass(frozen=True)
class Way:
    """``opens`` says what a secret is for; without ``change`` it cannot be changed so, and ``why`` is the sentence."""

    opens: str
    change: Callable[[Ops, Pending], None] | None = None
    why: str = ""


def redis_password(ops: Ops, pending: Pending) -> None:
    """Redis takes both while services, which read the file at each connection, come to use the new one."""
    old, new = pending.old, pending.new
    file = ops.secret_file(pending.name)
    if not _runs(ops, "redis"):
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
    _prove_refused(pending, lambda: _redis(ops, old).acl_whoami())


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
    _prove_refused(pending, lambda: ops.postgres_as(user, old, "postgres").rows("SELECT 1"))


def api_key(ops: Ops, pending: Pending) -> None:
    """The API reads the file at each request, and takes the value before for ten seconds more."""

    def use(key: Secret) -> None:
        from tradebot_ops.clients.api import Api

        Api(_api(ops), key).prunable(1e9, ["succeeded"])

    _through_the_api(ops, pending, use)
    ops.__dict__.pop("api", None)


def alert_token(ops: Ops, pending: Pending) -> None:
    """As for the API key; Alertmanager reads the file whenever it sends."""

    def use(token: Secret) -> None:
        from tradebot_ops.clients.api import Api

        Api(_api(ops), token).check_alert_token(token)

    _through_the_api(ops, pending, use)


def app_user(ops: Ops) -> str:
    """The account of API and workers."""
    environ = ops.stack.services["api"].environment if "api" in ops.stack.services else {}
    return urlsplit(environ.get("DATABASE_URL", "")).username or "tradebot_app"


def _through_the_api(ops: Ops, pending: Pending, use: Callable[[Secret], None]) -> None:
    overwrite(ops.secret_file(pending.name), pending.new.reveal())
    if not _runs(ops, "api"):
        return  # it reads the file when it starts
    if not _comes_true(lambda: _is_taken(lambda: use(pending.new)), NEW_COMES_WITHIN_S):
        raise OpsError(
            f"The API goes on with the old {pending.name}: it was started by an older release.",
            code="TB-0136",
            hint=f"tradebot restart api; then again: tradebot secrets rotate {pending.name}",
        )
    _prove_refused(pending, lambda: use(pending.old))


def _prove_refused(pending: Pending, use: Callable[[], object]) -> None:
    if pending.old != pending.new and not _comes_true(lambda: not _is_taken(use), OLD_GOES_WITHIN_S):
        raise OpsError(
            f"The new {pending.name} is in force, and the old one is still accepted.",
            code="TB-0136",
            hint=f"Again: tradebot secrets rotate {pending.name}",
        )


def _is_taken(use: Callable[[], object]) -> bool:
    try:
        use()
    except (Refused, LoginRefused):
        return False
    return True


def _comes_true(holds: Callable[[], bool], within_s: float) -> bool:
    ends = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > ends:
            return False
        time.sleep(PAUSE_S)
    return True


def _runs(ops: Ops, service: str) -> bool:
    return any(found.service == service and found.state.alive for found in ops.engine.list())


def _redis(ops: Ops, password: Secret) -> "Redis":
    from tradebot_ops.clients.redis import Redis

    address = ops.engine.endpoint("redis", 6379)
    return Redis(address.host, address.port, password)


def _api(ops: Ops) -> str:
    return f"http://{ops.engine.endpoint('api', 8010)}"


def _write_acl(ops: Ops, *passwords: Secret) -> None:
    """For a Redis that starts in between."""
    with contextlib.suppress(FileNotFoundError):
        exporter = ops.secret("redis_exporter_password").reveal()
        overwrite(ops.secret_file("redis_acl"), acl([each.reveal() for each in passwords], exporter))


_RESTART = "what uses it reads it only when it starts, and a restart in the right order is not built yet"

#: By the name in compose.yaml.
WAYS = {
    "alert_token": Way("Alertmanager's way into the API", alert_token),
    "alertmanager_password": Way("Alertmanager's page", why=_RESTART),
    "api_key": Way("writing through the API, and its dashboard", api_key),
    "grafana_admin_password": Way("Grafana as admin", why="Grafana keeps it in a database of its own: change it there"),
    "postgres_app_password": Way("Postgres as API and workers", postgres_app_password),
    "postgres_exporter_password": Way("Postgres' statistics", why=_RESTART),
    "postgres_password": Way("Postgres as the owner of the database", why=_RESTART),
    "prometheus_password": Way("Prometheus' page", why=_RESTART),
    "redis_exporter_password": Way("Redis' statistics", why=_RESTART),
    "redis_password": Way("Redis as API and workers", redis_password),
}
