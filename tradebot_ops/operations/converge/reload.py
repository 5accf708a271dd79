"""Have a replica read its configuration again, and prove by the service's own answer that it is in force.

`up` and `monitoring reload` both come here. A checker that is missing costs the check beforehand, never the proof.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Replica
from tradebot_ops.errors import OpsError, Refused, Unavailable
from tradebot_ops.operations.converge.engine_view import EngineView
from tradebot_ops.stack.model import Stack

SECONDS = 20.0
PAUSE_SECONDS = 0.2
#: Stands where the hash of the contents in force would, so that the next plan reloads whatever the files say then.
_UNPROVED = "not proved to be in force"


class Answer(Protocol):
    """How a service says its configuration stands: whether the last attempt to read it succeeded, and since when."""

    @property
    def config_loaded(self) -> bool: ...
    @property
    def config_loaded_at(self) -> datetime: ...


#: By service. One that is not here has no way to say it, and is only signalled.
Answers = Mapping[str, Callable[[], Answer]]


def answers_of(ops: Ops) -> Answers:
    """Prometheus and Alertmanager; neither is connected to before it is asked."""

    def prometheus() -> Answer:
        return ops.prometheus.status()

    def alertmanager() -> Answer:
        return ops.alertmanager.status()

    return {"prometheus": prometheus, "alertmanager": alertmanager}


def check_files(ops: Ops) -> bool:
    """Check what is to be read; False where no tool can, and then a warning of the command says so.

    Raises ``OpsError`` TB-0860 for a file with an error, with its line.
    """
    from tradebot_ops.facts.metrics import promtool  # every `up` is made ready to reload, few do

    try:
        promtool.check(ops)
    except Unavailable as error:
        why = f"{error.message} {error.hint}".strip()
        ops.warnings.append(f"The configuration was not checked before it was read: {why}")
        return False
    return True


def put_into_force(view: EngineView, stack: Stack, found: Replica, answers: Answers) -> Replica:
    """Have it read, and wait until the service says that it is in force; returns what the replica is then.

    Raises ``Refused`` TB-0860 when the service does not take it, and TB-0605 when it does not say so in time. The
    engine then does not count the contents as in force.
    """
    ask = answers.get(found.service)
    if ask is None:
        return _signal(view, stack, found)
    before, since = _ask(ask).status, datetime.now(UTC)
    try:
        after = _signal(view, stack, found)
        _prove(view, found.service, ask, since, refused_before=before is None or not before.config_loaded)
    except BaseException:  # an interrupted proof is none, either
        _forget(view, stack, found)
        raise
    return after


def _signal(view: EngineView, stack: Stack, found: Replica) -> Replica:
    """The engine renders and remembers what is read; should that make it a new process, that one has read it
    already, and might not yet know the signal."""
    after = view.engine.apply(stack, found.service, found.number)
    if (after.id, after.pid) == (found.id, found.pid):
        view.engine.signal(after, stack.services[found.service].reload)
    return after


def _forget(view: EngineView, stack: Stack, found: Replica) -> None:
    """Have the engine remember that nothing is known of the contents: it knows them as those it applied last."""
    service = replace(stack.services[found.service], content_hash=_UNPROVED)
    unproved = replace(stack, services={**stack.services, found.service: service})
    view.engine.apply(unproved, found.service, found.number)


@dataclass(frozen=True)
class _Asked:
    """Answer of a service, or why there was none: it may have been started anew, and not answer yet."""

    status: Answer | None
    why_not: str = ""


def _ask(ask: Callable[[], Answer]) -> _Asked:
    try:
        return _Asked(ask())
    except OpsError as error:
        return _Asked(None, error.message)


def _prove(view: EngineView, service: str, ask: Callable[[], Answer], since: datetime, *, refused_before: bool) -> None:
    """After an earlier refusal another one looks the same, so only the end of the time decides."""
    deadline = view.clock() + SECONDS
    while True:
        asked = _ask(ask)
        late = view.clock() > deadline
        if asked.status is not None:
            # Prometheus reports the second, not more.
            if asked.status.config_loaded and asked.status.config_loaded_at >= since.replace(microsecond=0):
                return
            if not asked.status.config_loaded and (late or not refused_before):
                raise _refused(service)
        if late:
            raise _too_late(service, asked.why_not)
        view.pause(PAUSE_SECONDS)


def _refused(service: str) -> Refused:
    return Refused(
        f"{service.capitalize()} refused its new configuration; what it had before is in force.",
        code="TB-0860",
        hint=f"tradebot logs {service} --tail 50",
    )


def _too_late(service: str, why: str) -> OpsError:
    return OpsError(
        f"{service.capitalize()} did not take over the configuration within {SECONDS:.0f} s; "
        "what it had before is in force.",
        code="TB-0605",
        hint=f"tradebot logs {service} --tail 50",
        detail=(why,) if why else (),
    )
