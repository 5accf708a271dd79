"""Carry out a plan: services in dependency order, at most four starts at once, each proved ready before the next.

Any failure of the core ends the whole at once and leaves what was made for the next `up` or `down`: every step is
repeatable. What belongs to a profile fails by itself.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial

from tradebot_ops.engines.base import Replica
from tradebot_ops.errors import OpsError, Unavailable
from tradebot_ops.operations.converge.engine_view import EngineView, Stopped
from tradebot_ops.operations.converge.readiness import PAUSE_SECONDS, until_ready
from tradebot_ops.operations.converge.reload import Answers, put_into_force
from tradebot_ops.progress import OnProgress, Phase, ProgressEvent
from tradebot_ops.stack.model import Service, Stack
from tradebot_ops.stack.plan import Action, Step

#: More than four parallel starts gain little on Docker, and less on a small host.
PARALLEL_STARTS = 4


@dataclass
class _Run:
    stack: Stack
    view: EngineView
    answers: Answers
    on_progress: OnProgress
    starts: threading.Semaphore
    # Services of a profile may fetch their programs first, and must not hold up the core meanwhile.
    extra_starts: threading.Semaphore
    ready: Mapping[str, threading.Event]
    #: Services that no service of the core needs: theirs to fail alone.
    spared: frozenset[str] = frozenset()
    unavailable: dict[str, OpsError] = field(default_factory=dict)
    failed: dict[str, OpsError] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """Services of a profile that did not come up, each with the reason: this host cannot run them, or they failed."""

    unavailable: Mapping[str, OpsError] = field(default_factory=dict)
    failed: Mapping[str, OpsError] = field(default_factory=dict)

    def check(self) -> None:
        """Raises the first failure, for a command that was asked for just these services."""
        for error in self.failed.values():
            raise error


def converge(
    stack: Stack, steps: Sequence[Step], view: EngineView, answers: Answers, on_progress: OnProgress
) -> Outcome:
    """Do the steps. ``answers`` prove that what is reloaded is in force.

    Raises the first ``OpsError`` of the core; Ctrl-C stops waiting and leaves a state `down` can remove.
    """
    by_service: dict[str, list[Step]] = {}
    for step in steps:
        by_service.setdefault(step.service, []).append(step)
    services = [service for service in stack.in_order() if service.name in by_service]
    for gone in (name for name in by_service if name not in stack.services):
        _remove(view, by_service[gone], on_progress)
    if not services:
        return Outcome()
    run = _Run(
        stack,
        view,
        answers,
        on_progress,
        threading.Semaphore(PARALLEL_STARTS),
        threading.Semaphore(2 * PARALLEL_STARTS),
        {service.name: threading.Event() for service in services},
        _spared(stack),
    )
    with view.watched():
        in_parallel([partial(_service, run, service, by_service[service.name]) for service in services], view.stop)
    return Outcome(run.unavailable, run.failed)


def _spared(stack: Stack) -> frozenset[str]:
    needed = {
        dependency.service for each in stack.services.values() if not each.profiles for dependency in each.depends_on
    }
    return frozenset(each.name for each in stack.services.values() if each.profiles) - needed


def in_parallel(tasks: Sequence[Callable[[], None]], stop: Callable[[], None]) -> None:
    """Run all tasks at once; the first failure is raised, after ``stop`` was called to end the others.

    ``Stopped`` when a task gave up because of a failure elsewhere: whoever waits for these must not go on.
    """
    with ThreadPoolExecutor(max_workers=max(1, len(tasks)), thread_name_prefix="tradebot") as pool:
        futures = [pool.submit(task) for task in tasks]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            if _unfinished(futures):
                stop()
    errors = [error for error in (future.exception() for future in futures) if error is not None]
    if errors:
        raise next((error for error in errors if not isinstance(error, Stopped)), errors[0])


def _unfinished(futures: Sequence[Future[None]]) -> bool:
    return any(not future.done() or future.exception() is not None for future in futures)


def _service(run: _Run, service: Service, steps: Sequence[Step]) -> None:
    _wait_for_dependencies(run, service)
    try:
        leaving = [step for step in steps if step.action is Action.REMOVE]
        _remove(run.view, leaving, run.on_progress, service.stop_grace)
        replicas = [step for step in steps if step.action is not Action.REMOVE]
        stop = _leave_alone if service.name in run.spared else run.view.stop
        in_parallel([partial(_replica, run, service, step) for step in replicas], stop)
    except Stopped:
        raise
    except Exception as error:
        run.on_progress(ProgressEvent(service.name, Phase.FAILED, str(error)))
        if service.name not in run.spared or not isinstance(error, OpsError):
            raise
        run.failed[service.name] = error
    run.ready[service.name].set()
    if service.name not in {*run.unavailable, *run.failed}:
        run.on_progress(ProgressEvent(service.name, _outcome(service, replicas)))


def _leave_alone() -> None:
    """The other services go on."""


def _outcome(service: Service, replicas: Sequence[Step]) -> Phase:
    if all(step.action is Action.NOTHING for step in replicas):
        return Phase.UNCHANGED
    return Phase.DONE if service.one_shot else Phase.READY


def _wait_for_dependencies(run: _Run, service: Service) -> None:
    for dependency in service.depends_on:
        if dependency.service not in run.ready:
            continue
        while not run.ready[dependency.service].wait(PAUSE_SECONDS):
            run.view.check()


def _replica(run: _Run, service: Service, step: Step) -> None:
    if step.action is Action.NOTHING:
        if not service.one_shot:
            until_ready(run.view, service, step.number, crashes_before=_crashes(run, step), samples=1)
        return
    run.on_progress(ProgressEvent(service.name, Phase.STARTING, step.reason))
    with run.extra_starts if service.profiles else run.starts:
        run.view.check()
        try:
            found = _act(run, service, step)
        except Unavailable as error:
            # What belongs to a profile may be missing, and must not end the others.
            if not service.profiles:
                raise
            run.unavailable[service.name] = error
            run.on_progress(ProgressEvent(service.name, Phase.UNAVAILABLE, str(error)))
            return
    run.view.saw(found)
    # Restarts until now say nothing about this start.
    until_ready(run.view, service, step.number, crashes_before=found.restarts)


def _crashes(run: _Run, step: Step) -> int:
    """Restarts of a replica that runs: they happened before anybody asked."""
    found = run.view.replica(step.service, step.number)
    return found.restarts if found is not None else 0


def _act(run: _Run, service: Service, step: Step) -> Replica:
    """Do one step; returns what the replica is then. What is to be made anew is left to the engine, which stops the
    old one only when there is something to take its place."""
    engine = run.view.engine
    if step.action in {Action.RELOAD, Action.RESTART}:
        found = run.view.replica(service.name, step.number)
        if found is not None and step.action is Action.RELOAD:
            return put_into_force(run.view, run.stack, found, run.answers)
        if found is not None:
            engine.stop(found, service.stop_grace)
    return engine.apply(run.stack, service.name, step.number)


def _remove(
    view: EngineView, steps: Sequence[Step], on_progress: OnProgress, grace: float = Service.stop_grace
) -> None:
    for step in steps:
        found = view.replica(step.service, step.number)
        if found is None:
            continue
        on_progress(ProgressEvent(step.service, Phase.STOPPING, step.reason))
        view.engine.stop(found, grace)
        view.engine.remove(found)
        view.forget()
        on_progress(ProgressEvent(step.service, Phase.REMOVED, step.reason))
