"""Does an alert arrive? A synthetic one goes Alertmanager -> webhook -> store and back, and is ended again."""

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tradebot_ops.context import Ops
from tradebot_ops.errors import ExitCode, OpsError
from tradebot_ops.facts.fact import Effect, fact
from tradebot_ops.facts.metrics.prometheus import discovered
from tradebot_ops.progress import OnProgress, Phase, ProgressEvent, ignore_progress

NAME = "SyntheticAlert"
#: Alertmanager groups for a second, and sends a change of the group every five.
ARRIVES_SECONDS = 30.0
RESOLVES_SECONDS = 45.0
#: Right after its start Prometheus takes five for that.
ENDS_BY_ITSELF = timedelta(minutes=5)
PAUSE = 0.25
Post = Callable[[datetime], None]


@dataclass(frozen=True)
class Hop:
    """One step of the way and how long it took."""

    name: str
    seconds: float


@dataclass(frozen=True)
class Trip:
    """The hops that were made, and what broke the next one; empty when the alert and its end arrived."""

    hops: tuple[Hop, ...]
    broken: str = ""
    hint: str = ""


@fact(seconds=100, effect=Effect.ALERT)
def trip(ops: Ops) -> Trip:
    """A synthetic alert to the store and back; a hop that breaks is the answer, not the lack of one."""
    made: list[Hop] = []
    try:
        to_the_store_and_back(ops, secrets.token_hex(8), ignore_progress, hops=made)
    except OpsError as error:
        return Trip(tuple(made), error.message, error.hint)
    return Trip(tuple(made))


def synthetic(nonce: str, **more: str) -> dict[str, str]:
    """The labels of a synthetic alert."""
    return {"alertname": NAME, "severity": "info", "nonce": nonce, **more}


def to_the_store_and_back(
    ops: Ops,
    nonce: str,
    on_progress: OnProgress,
    before: Callable[[], None] = lambda: None,
    hops: list[Hop] | None = None,
) -> list[Hop]:
    """Raise an alert, see it stored, end it, see its end stored; ``hops`` grows as they are made.

    ``before`` runs once everything answers and before anything is raised. Raises ``OpsError`` TB-0550 that names the
    hop that broke, or whatever made asking impossible.
    """
    hops = [] if hops is None else hops
    hops.append(timed("API answers", lambda: api_ready(ops), on_progress))
    hops.append(prometheus_hop(ops, on_progress))
    before()
    with ended(ops, synthetic(nonce)) as post:
        for name, act in (
            ("Alertmanager takes it", lambda: post(datetime.now(UTC) + ENDS_BY_ITSELF)),
            ("API stores it", lambda: _arrives(ops, nonce, "firing", ARRIVES_SECONDS)),
            ("Alertmanager ends it", lambda: post(datetime.now(UTC))),
            ("API stores the end", lambda: _arrives(ops, nonce, "resolved", RESOLVES_SECONDS)),
        ):
            hops.append(timed(name, act, on_progress))
    return hops


@contextlib.contextmanager
def ended(ops: Ops, labels: Mapping[str, str]) -> Iterator[Post]:
    """Gives what raises the alert until a moment, or ends it; it is ended however the block is left."""
    annotations = {"summary": "A test of the way alerts take; nothing is wrong."}

    def post(ends: datetime) -> None:
        ops.alertmanager.post(labels, annotations, ends)

    try:
        yield post
    finally:
        with contextlib.suppress(OpsError):
            post(datetime.now(UTC))


def timed(name: str, act: Callable[[], None], on_progress: OnProgress) -> Hop:
    started = time.monotonic()
    on_progress(ProgressEvent("alert", Phase.STARTING, name))
    try:
        act()
    except OpsError as error:
        on_progress(ProgressEvent("alert", Phase.FAILED, name))
        raise OpsError(
            f"The alert's way broke at «{name}»: {error.message}",
            code=error.code if error.exit_code is ExitCode.DEPENDENCY_UNREACHABLE else "TB-0550",
            hint=error.hint,
            detail=error.detail,
        ) from error
    return Hop(name, time.monotonic() - started)


def api_ready(ops: Ops) -> None:
    ops.api.alerts(1)


def prometheus_hop(ops: Ops, on_progress: OnProgress) -> Hop:
    """Prometheus sends what its rules find; the synthetic alert starts one hop later."""

    def known() -> None:
        if not discovered(ops).alertmanagers:
            raise OpsError(
                "Prometheus knows no Alertmanager to send to.",
                code="TB-0551",
                hint="tradebot monitoring status; tradebot monitoring restart",
            )

    return timed("Prometheus knows Alertmanager", known, on_progress)


def _arrives(ops: Ops, nonce: str, status: str, within: float) -> None:
    deadline = time.monotonic() + within
    while not _stored(ops, nonce, status):
        if time.monotonic() > deadline:
            raise OpsError(
                f"The API has not stored it within {within:.0f} s.",
                code="TB-0550",
                hint="tradebot logs alertmanager --tail 50; tradebot logs api --tail 50",
            )
        time.sleep(PAUSE)


def _stored(ops: Ops, nonce: str, status: str) -> bool:
    return any(alert["labels"].get("nonce") == nonce and alert["status"] == status for alert in ops.api.alerts(200))
