"""A service's own health check: what the engine found with it, or where the engine runs none, what it says now."""

import re
import shlex
import time

from tradebot_ops.clients.probe import ProbeResult, connects
from tradebot_ops.engines.base import Engine, ExecResult, Health, Replica
from tradebot_ops.errors import OpsError
from tradebot_ops.stack.model import Healthcheck, Service
from tradebot_ops.text.sentences import shortened

#: A check that may take half a minute must not hold up `status` for as long.
LONGEST_SECONDS = 5.0
_NOT_FOUND = 127
_ASSIGNMENT = re.compile(r"\w+=")


def check_of(service: Service) -> Healthcheck | None:
    """The check that decides about the service; a probe would be asked instead, and a one-shot has to end."""
    check = service.healthcheck
    if check is None or service.probe is not None or service.one_shot or check.test[0] == "NONE":
        return None
    return check


def decides(service: Service, found: Replica) -> bool:
    """Whether a health check decides if this replica is ready: its service's, or one that its image brings."""
    return service.probe is None and (found.health is not Health.NONE or check_of(service) is not None)


def asked(engine: Engine, service: Service, found: Replica, timeout: float) -> ProbeResult:
    """The engine's verdict, where it runs checks itself; else the check is run once."""
    if found.health is not Health.NONE:
        return ProbeResult(found.health is Health.HEALTHY, f"its health check says {found.health}", 0.0)
    check = check_of(service)
    if check is None:
        return ProbeResult(True, "is running", 0.0)
    words = command(check)
    started = time.perf_counter()
    try:
        answer = engine.exec(found, words, timeout=min(check.timeout, max(timeout, LONGEST_SECONDS)))
    except OpsError as error:
        return ProbeResult(False, f"its health check: {error.message.rstrip('.')}", time.perf_counter() - started)
    if answer.exit_code == _NOT_FOUND:
        return _without(found, words, timeout)
    return ProbeResult(answer.exit_code == 0, _detail(answer), time.perf_counter() - started)


def command(check: Healthcheck) -> tuple[str, ...]:
    kind, *words = check.test
    return ("/bin/sh", "-c", *words) if kind == "CMD-SHELL" else tuple(words)


def program(check: Healthcheck) -> str:
    """The program that the check runs first."""
    kind, *words = check.test
    if kind == "CMD-SHELL":
        try:
            words = shlex.split(" ".join(words))
        except ValueError:
            return ""
    return next((word for word in words if not _ASSIGNMENT.match(word)), "")


def _without(found: Replica, words: tuple[str, ...], timeout: float) -> ProbeResult:
    """A check made for an image may need a program that this host lacks. That its ports answer is less proof."""
    missing = program(Healthcheck(("CMD", *words) if words[:2] != ("/bin/sh", "-c") else ("CMD-SHELL", *words[2:])))
    why = f"its health check needs {missing or 'a program'}, which this host does not have"
    silent = [each.address for each in found.published if not connects(each.address.host, each.address.port, timeout)]
    if silent:
        return ProbeResult(False, f"{silent[0]} gives no answer; {why}", 0.0)
    return ProbeResult(True, f"runs; {why}", 0.0)


def _detail(answer: ExecResult) -> str:
    if answer.exit_code == 0:
        return "its health check passes"
    last = answer.output.strip().splitlines()[-1:]
    return f"its health check ends with exit code {answer.exit_code}" + (f": {shortened(last[0], 200)}" if last else "")
