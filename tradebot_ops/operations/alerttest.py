"""Does an alert arrive? A synthetic one goes Alertmanager → webhook → store and back, and is ended again."""

import contextlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report, Section, Table
from tradebot_ops.operations.progress import Listener, Phase, Told

NAME = "SyntheticAlert"
#: Alertmanager groups for a second, and sends a change of the group every five.
ARRIVES_SECONDS = 30.0
RESOLVES_SECONDS = 45.0
ENDS_BY_ITSELF = timedelta(minutes=5)
PAUSE = 0.25


@dataclass(frozen=True)
class Hop:
    """One step of the way and how long it took."""

    name: str
    seconds: float


def run(ops: Ops, listen: Listener) -> Report:
    """Raises ``OpsError`` TB-0550 that names the hop that broke, or whatever made asking impossible."""
    nonce = secrets.token_hex(8)
    hops = [_timed("API answers", lambda: _api_ready(ops), listen), *_prometheus_hop(ops, listen)]
    labels = {"alertname": NAME, "severity": "info", "nonce": nonce}
    said = {"summary": "A test of the way alerts take; nothing is wrong."}

    def post(ends: datetime) -> None:
        ops.alertmanager.post(labels, said, ends)

    try:
        hops.append(_timed("Alertmanager takes it", lambda: post(datetime.now(UTC) + ENDS_BY_ITSELF), listen))
        hops.append(_timed("API stores it", lambda: _arrives(ops, nonce, "firing", ARRIVES_SECONDS), listen))
    except BaseException:
        with contextlib.suppress(OpsError):
            post(datetime.now(UTC))
        raise
    hops.append(_timed("Alertmanager ends it", lambda: post(datetime.now(UTC)), listen))
    hops += [_timed("API stores the end", lambda: _arrives(ops, nonce, "resolved", RESOLVES_SECONDS), listen)]
    rows = tuple((hop.name, f"{hop.seconds:.1f} s") for hop in hops)
    lines = ("An alert went Alertmanager -> webhook -> Postgres and back, and so did its end.",)
    data = {"nonce": nonce, "hops": [{"name": hop.name, "seconds": round(hop.seconds, 3)} for hop in hops]}
    return Report("alerts.test", data=data, sections=(Section(lines=lines, tables=(Table(("hop", "took"), rows),)),))


def _timed(name: str, act: Callable[[], None], listen: Listener) -> Hop:
    started = time.monotonic()
    listen(Told("alert", Phase.STARTING, name))
    try:
        act()
    except OpsError as error:
        listen(Told("alert", Phase.FAILED, name))
        raise OpsError(
            f"The alert's way broke at «{name}»: {error.message}",
            code=error.code if error.code.startswith("TB-05") else "TB-0550",
            hint=error.hint,
            detail=error.detail,
        ) from error
    return Hop(name, time.monotonic() - started)


def _api_ready(ops: Ops) -> None:
    ops.api.alerts(1)


def _prometheus_hop(ops: Ops, listen: Listener) -> list[Hop]:
    """Prometheus sends what its rules find; the synthetic alert starts one hop later."""

    def discovered() -> None:
        if not ops.prometheus.status().alertmanagers:
            raise OpsError(
                "Prometheus knows no Alertmanager to send to.",
                code="TB-0551",
                hint="tradebot monitoring status; tradebot monitoring restart",
            )

    return [_timed("Prometheus knows Alertmanager", discovered, listen)]


def _arrives(ops: Ops, nonce: str, status: str, within: float) -> None:
    deadline = time.monotonic() + within
    while not _stored(ops, nonce, status):
        if time.monotonic() > deadline:
            raise OpsError(
                f"the API has not stored it within {within:.0f} s.",
                code="TB-0550",
                hint="tradebot logs alertmanager --tail 50; tradebot logs api --tail 50",
            )
        time.sleep(PAUSE)


def _stored(ops: Ops, nonce: str, status: str) -> bool:
    return any(alert["labels"].get("nonce") == nonce and alert["status"] == status for alert in ops.api.alerts(200))
