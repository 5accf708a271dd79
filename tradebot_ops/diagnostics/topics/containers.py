"""Services and their replicas: how each is, against what is described."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from tradebot_ops.diagnostics.topic import Problem, Topic, View, doubtful, look, wrong
from tradebot_ops.engines.base import Event, State
from tradebot_ops.facts import moment
from tradebot_ops.facts.project import stack
from tradebot_ops.facts.replicas import containers, services
from tradebot_ops.facts.replicas.condition import Condition
from tradebot_ops.model import Table
from tradebot_ops.stack.model import Stack
from tradebot_ops.text.lists import few
from tradebot_ops.text.quantities import age

TOPIC = Topic("containers", "Services", order=10)
WELL = {"ready", "running", "done"}
RESTARTS = 3
LATELY = timedelta(hours=1)


@look(asks=(services.now, stack.description, stack.absent, moment.now))
def replicas(found: tuple[Condition, ...], described: Stack, absent: Mapping[str, str], now: datetime) -> View:
    bad = [each for each in found if each.word not in WELL]
    good: dict[str, list[Condition]] = {}
    for each in found:
        if each.word in WELL:
            good.setdefault(each.replica.service, []).append(each)
    rows = [(each.replica.label, each.word, _up(each, now), each.detail) for each in bad]
    rows += [(service, f"{len(some)} well", _up(_youngest(some), now), "") for service, some in good.items()]
    problems = [_problem(each) for each in bad] + _missing(found, described, absent)
    return View(table=Table(("service", "state", "up", "detail"), tuple(rows)), problems=tuple(problems))


def _youngest(some: list[Condition]) -> Condition:
    """The one that was started last: a restart is what one looks for."""
    return max(some, key=lambda each: each.replica.started_at.timestamp() if each.replica.started_at else 0.0)


def _up(each: Condition, now: datetime) -> str:
    running = each.replica.state is State.RUNNING and each.replica.started_at
    return age(now - each.replica.started_at) if running and each.replica.started_at else ""


def _problem(each: Condition) -> Problem:
    say = doubtful if each.word in {"orphan", "starting"} else wrong
    return say(f"{each.replica.label} is {each.word}: {each.detail or 'the engine says no more'}.",
               f"tradebot logs {each.replica.service} --tail 50")  # fmt: skip


def _missing(found: tuple[Condition, ...], described: Stack, absent: Mapping[str, str]) -> list[Problem]:
    """Replicas that should be there. What this host cannot run at all is no fault of today."""
    there = Counter(each.replica.service for each in found)
    lacking = {
        name: service.replicas - there[name]
        for name, service in described.services.items()
        if there[name] < service.replicas and name not in absent
    }
    return [wrong(f"{name} lacks {count} of its replicas.", f"tradebot up {name}") for name, count in lacking.items()]


@look(asks=(services.events, moment.now))
def crashes(events: tuple[Event, ...], now: datetime) -> View:
    """Deaths of the last hour; one that was asked for ends with 0 or by the signal that stops it."""
    died = Counter(
        event.service
        for event in events
        if event.action == "die" and event.exit_code not in {0, 143, None} and now - event.at < LATELY
    )
    killed = sorted({event.label for event in events if event.action == "oom" and now - event.at < LATELY})
    problems = [
        wrong(f"{service} died {count} times within an hour.", f"tradebot logs {service} --since 1h")
        for service, count in died.items()
        if count >= RESTARTS
    ]
    if killed:
        problems.append(wrong(f"Killed for memory within an hour: {few(killed)}.", "tradebot diag workers"))
    return View((("died within an hour", few([f"{name} {n}×" for name, n in died.items()]) or "nobody"),),
                problems=tuple(problems))  # fmt: skip


@look(asks=(services.oom_kills, containers.replicas))
def out_of_memory(kills: Mapping[str, int], _inspected: object) -> View:
    """Processes that the kernel killed inside replicas that still run, such as a job."""
    some = {label: count for label, count in kills.items() if count}
    listed = few([f"{label} {count}×" for label, count in some.items()])
    problems = (
        (doubtful(f"The kernel killed processes for memory: {listed}.", "tradebot optimize plan"),) if some else ()
    )
    return View((("killed for memory inside", listed or "nothing"),), problems=problems)
