"""Passwords of pages that Prometheus and Alertmanager guard themselves, and programs that read theirs only at a start.

Both look into their `web.yml` at each request, and whoever asks them reads the password at each request. So a rotation
is two writes, one right after the other; what is asked in the few milliseconds between them is refused, and asks again.
"""

import contextlib
from collections.abc import Callable

from tradebot_ops.context import GRAFANA_USER, WEB_USER, Ops
from tradebot_ops.operations.lifecycle.startstop import restart
from tradebot_ops.operations.rotation.pending import Pending
from tradebot_ops.operations.rotation.proof import is_taken, prove_refused, prove_taken, runs
from tradebot_ops.operations.secrets import web_login
from tradebot_ops.private_folder import overwrite
from tradebot_ops.progress import ignore_progress
from tradebot_ops.settings import Secret


def prometheus_password(ops: Ops, pending: Pending) -> None:
    """Prometheus scrapes itself with it, the API asks for the dashboard's panels, and Grafana for its own."""

    def use(password: Secret) -> None:
        from tradebot_ops.clients.prometheus import Prometheus
        from tradebot_ops.clients.rest import Login

        address = ops.engine.endpoint("prometheus", 9090)
        Prometheus(f"http://{address}", Login(WEB_USER, password)).flags()

    _page(ops, pending, "prometheus", use)
    if runs(ops, "grafana"):
        ops.grafana.reload_datasources()


def alertmanager_password(ops: Ops, pending: Pending) -> None:
    """Prometheus sends alerts with it, and the API news of jobs."""

    def use(password: Secret) -> None:
        from tradebot_ops.clients.alertmanager import Alertmanager
        from tradebot_ops.clients.rest import Login

        address = ops.engine.endpoint("alertmanager", 9093)
        Alertmanager(f"http://{address}", Login(WEB_USER, password)).receivers()

    _page(ops, pending, "alertmanager", use)


def grafana_admin_password(ops: Ops, pending: Pending) -> None:
    """Changed through Grafana's API, in its own database; the file is what people and commands read."""
    if runs(ops, "grafana"):
        if not is_taken(lambda: ops.grafana_as(GRAFANA_USER, pending.new).organisation()):
            ops.grafana_as(GRAFANA_USER, pending.old).change_password(pending.old, pending.new)
        prove_refused(pending, lambda: ops.grafana_as(GRAFANA_USER, pending.old).organisation())
    overwrite(ops.secret_file(pending.name), pending.new.reveal())
    ops.__dict__.pop("grafana", None)


def restarted(ops: Ops, service: str) -> None:
    """Start anew what reads its secret only then, if it runs, and wait until it is ready."""
    if runs(ops, service):
        restart(ops, [service], ignore_progress)


def _page(ops: Ops, pending: Pending, service: str, use: Callable[[Secret], None]) -> None:
    web = web_login(pending.name)({pending.name: pending.new.reveal()}, "")
    with contextlib.suppress(FileNotFoundError):
        overwrite(ops.secret_file(f"{service}_web"), web)
    overwrite(ops.secret_file(pending.name), pending.new.reveal())
    for cached in (service, "panels"):
        ops.__dict__.pop(cached, None)
    if runs(ops, service):
        prove_taken(pending, service, lambda: use(pending.new))
        prove_refused(pending, lambda: use(pending.old))
