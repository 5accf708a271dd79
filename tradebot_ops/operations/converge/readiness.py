"""When is a replica ready? When it answers in its own protocol several times in a row, seen from here.

Docker's own health check is slower (it asks every ten seconds) and the local engine has none: so the same question
decides on every engine. A service that names no protocol (``x-tradebot.probe``) is ready when its health check passes,
which Docker runs itself and this process runs for the local engine; without one, when it runs.
"""

from tradebot_ops.engines.base import Engine, Health, LogQuery, Replica, State
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.replicas.condition import sample_of
from tradebot_ops.facts.replicas.healthcheck import check_of
from tradebot_ops.operations.converge.engine_view import EngineView
from tradebot_ops.operations.converge.ways_out import way_out
from tradebot_ops.stack.model import Service

GOOD_SAMPLES = 3
PAUSE_SECONDS = 0.1
#: Between the good answers of one replica, which follow each other sooner than those of one that is not up yet.
GOOD_PAUSE_SECONDS = 0.05
#: Between two runs of a health check that is waited for, if it may run as often.
CHECK_PAUSE_SECONDS = 1.0
CRASHES = 2
LAST_LINES = 15


def until_ready(
    view: EngineView, service: Service, number: int, *, crashes_before: int = 0, samples: int = GOOD_SAMPLES
) -> str:
    """Wait for one replica until ``samples`` answers in a row were good; returns the last one.

    Raises ``OpsError`` TB-0106 at once for a failed one-shot, a crash loop or a health check that failed as often as
    it may, with the last log lines, and TB-0603 when that takes longer than the world's patience, counted from this
    call.
    """
    begun = view.clock()
    deadline = begun + view.patience
    good, last = 0, "it was not seen yet"
    while True:
        found = view.replica(service.name, number)
        if found is not None:
            verdict = _settled(view.engine, service, found, crashes_before)
            if verdict:
                return verdict
            last = f"its state is {found.state}"
        answers = found is not None and found.state is State.RUNNING and not service.one_shot
        if answers and found is not None:
            sample = sample_of(view.engine, service, found)
            last, good = sample.detail, (good + 1 if sample.ok else 0)
            if good >= (samples if service.probe else 1):
                return last
            if not sample.ok and _gave_up(service, found, view.clock() - begun):
                raise failed(view.engine, found, f"{service.name} {number} is unhealthy: {last}")
        if view.clock() >= deadline:
            raise _timed_out(view.engine, service, number, last)
        if answers:
            view.pause(GOOD_PAUSE_SECONDS if good else _pause(service))
        else:
            view.wait(PAUSE_SECONDS)


def _pause(service: Service) -> float:
    """Between two questions: a health check is a program of its own, and its author chose how often it may run."""
    check = check_of(service)
    if check is None:
        return PAUSE_SECONDS
    return max(PAUSE_SECONDS, min(check.start_interval or check.interval, CHECK_PAUSE_SECONDS))


def _gave_up(service: Service, found: Replica, waited: float) -> bool:
    """Whether the health check counts as failed for good: Docker says so itself, and elsewhere its own terms do."""
    check = check_of(service)
    if found.health is not Health.NONE or check is None:
        return service.probe is None and found.health is Health.UNHEALTHY
    return waited >= check.start_period + check.retries * check.interval


def _settled(engine: Engine, service: Service, found: Replica, crashes_before: int) -> str:
    """Empty while the matter is open; else what ended it well. What ended it badly is raised."""
    if service.one_shot and found.state is State.EXITED:
        if found.exit_code == 0:
            return "finished with exit code 0"
        raise failed(engine, found, f"{service.name} failed with exit code {found.exit_code}")
    if found.state is State.FAILED:
        raise failed(engine, found, f"{service.name} {found.number} cannot start: {_how(found)}")
    if found.restarts - crashes_before >= CRASHES:
        raise failed(
            engine,
            found,
            f"{service.name} {found.number} keeps crashing ({found.restarts} restarts): {_how(found)}",
        )
    if found.state is State.EXITED and service.restart == "no":
        raise failed(engine, found, f"{service.name} {found.number} ended: {_how(found)}")
    return ""


def _how(found: Replica) -> str:
    if found.oom_killed:
        return "it ran out of memory and was killed"
    return f"exit code {found.exit_code}" if found.exit_code is not None else "its last lines show why"


def failed(engine: Engine, found: Replica, message: str) -> OpsError:
    lines = last_lines(engine, found.service, found.number)
    hint = way_out(lines) or f"tradebot logs {found.service} --tail 50"
    return OpsError(f"{message}.", code="TB-0106", hint=hint, detail=lines)


def _timed_out(engine: Engine, service: Service, number: int, last: str) -> OpsError:
    return OpsError(
        f"{service.name} {number} was not ready in time: {last}.",
        code="TB-0603",
        hint=f"tradebot logs {service.name} --tail 50; or give it longer: --timeout 600",
        detail=last_lines(engine, service.name, number),
    )


def last_lines(engine: Engine, service: str, number: int, count: int = LAST_LINES) -> tuple[str, ...]:
    """The end of a replica's log; a log that cannot be read says so instead."""
    try:
        lines = engine.logs(LogQuery(services=(service,), number=number, tail=count))
        return tuple(line.text for line in lines)[-count:]
    except OpsError as error:
        return (f"(its log cannot be read: {error.message})",)
