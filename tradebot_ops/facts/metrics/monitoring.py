"""The monitoring services: which there are, and whether each answers."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from tradebot_ops.clients.probe import ask
from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.fact import NotApplicable, Skip, fact

PROFILE = "monitoring"
SECONDS = 5.0


@dataclass(frozen=True)
class Answer:
    """The answer of one service to its own question.

    ``absent``: it cannot run on this host; ``detail`` says why, ``hint`` what helps.
    """

    service: str
    ok: bool
    detail: str
    absent: bool = False
    hint: str = ""


def names(ops: Ops) -> list[str]:
    """The services of the monitoring, in the stack's order."""
    return [service.name for service in ops.stack.services.values() if PROFILE in service.profiles]


@fact(seconds=10)
def services(ops: Ops) -> tuple[Answer, ...]:
    """Every service of the monitoring, asked whether it is ready."""
    wanted = names(ops)
    if not wanted:
        raise NotApplicable(Skip.PROFILE, f"The profile {PROFILE} is not chosen, so nothing of it should run.")
    with ThreadPoolExecutor(max_workers=len(wanted)) as pool:
        return tuple(pool.map(lambda name: _answer(ops, name), wanted))


def _answer(ops: Ops, name: str) -> Answer:
    if known := ops.unavailable.get(name):
        return Answer(name, ok=False, detail=known.message, absent=True, hint=known.hint)
    try:
        if name in {"prometheus", "alertmanager"}:
            ready = ops.prometheus.ready() if name == "prometheus" else ops.alertmanager.ready()
            return Answer(name, ready, "ready" if ready else "answers, and is not ready yet")
        return _probed(ops, name)
    except OpsError as error:
        return Answer(name, ok=False, detail=error.message)


def _probed(ops: Ops, name: str) -> Answer:
    """Exporters are asked for their metrics: the page before them answers whatever is behind."""
    probe = ops.stack.services[name].probe
    if probe is None:
        return Answer(name, ok=False, detail="nothing is known to ask it")
    path = "/metrics" if name.endswith("exporter") else probe.path
    address = ops.engine.endpoint(name, probe.port)
    probed = ask(replace(probe, path=path), address.host, address.port, SECONDS)
    return Answer(name, probed.ok, f"GET {path}: {probed.detail}")


def _gate(name: str, answers: tuple[Answer, ...]) -> Answer:
    found = next((answer for answer in answers if answer.service == name), None)
    if found is None or not found.ok:
        why = found.detail.rstrip(".") if found else "it is not part of the stack"
        raise NotApplicable(Skip.PREREQUISITE, f"{name.capitalize()} does not answer: {why}.")
    return found


@fact(of=(services,))
def prometheus(_ops: Ops, services: tuple[Answer, ...]) -> Answer:
    """Prometheus answers: without it there is nothing to judge that only it knows."""
    return _gate("prometheus", services)


@fact(of=(services,))
def alertmanager(_ops: Ops, services: tuple[Answer, ...]) -> Answer:
    return _gate("alertmanager", services)
