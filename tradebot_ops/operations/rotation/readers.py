"""Passwords of pages that Prometheus and Alertmanager guard themselves, and programs that read theirs only at a start.

Both look into their `web.yml` at each request, and whoever asks them reads the password at each request. So a rotation
is two writes, one right after the other; what is asked in the few milliseconds between them is refused, and asks again.
"""

from collections.abc import Callable

from tradebot_ops.context import GRAFANA_USER, Ops
from tradebot_ops.operations.lifecycle.startstop import restart
from tradebot_ops.operations.rotation.pending import Pending
from tradebot_ops.operations.rotation.proof import is_taken, prove_refused, prove_taken, runs
from tradebot_ops.operations.secrets import DERIVATIONS
from tradebot_ops.private_folder import overwrite
from tradebot_ops.progress import ignore_progress
from tradebot_ops.settings import Secret


def prometheus_password(ops: Ops, pending: Pending) -> None:
    """Prometheus scrapes itself with it, the API asks for the dashboard's panels, and Grafana for its own."""

    _page(ops, pending, "prometheus", lambda password: ops.prometheus_as(password).flags())
    if runs(ops, "grafana"):
        ops.grafana.reload_datasources()


def alertmanager_password(ops: Ops, pending: Pending) -> None:
    """Prometheus sends alerts with it, and the API news of jobs."""

    _page(ops, pending, "alertmanager", lambda password: ops.alertmanager_as(password).receivers())


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


def _page(ops: Ops, pending: Pending, service: str, use: Callable[[Secret], object]) -> None:
    web = ops.stack.secrets[f"{service}_web"]
    text = DERIVATIONS[web.derive]({pending.name: pending.new.reveal()}, "")
    if web.file.is_file():
        overwrite(web.file, text)
    overwrite(ops.secret_file(pending.name), pending.new.reveal())
    for cached in (service, "panels"):
        ops.__dict__.pop(cached, None)
    if runs(ops, service):
        prove_taken(pending, service, lambda: use(pending.new))
        prove_refused(pending, lambda: use(pending.old))
