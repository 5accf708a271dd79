"""Changes that make the world match the description: worked out, never done, by pure functions.

The plan reads the description and what an engine observed, and names a step with its reason for every replica,
also for those that stay. Carrying it out is the business of ``tradebot_ops.operations``.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from itertools import count, islice
from typing import Protocol

from tradebot_ops.stack.model import Service, Stack
from tradebot_ops.text.labels import Labelled


class Action(StrEnum):
    CREATE = "create"
    RECREATE = "recreate"
    START = "start"
    RESTART = "restart"
    RELOAD = "reload"
    REMOVE = "remove"
    NOTHING = "nothing"


_NOTHING: Mapping[tuple[str, int], str] = {}


class ReplicaLike(Protocol):
    """Properties of a replica that the plan needs; an engine's ``Replica`` has it all.

    ``state`` is one of the engines' words, such as ``running``. An empty ``spec_hash`` means that tradebot did not
    make it; an empty ``content_hash`` that nobody recorded it.
    """

    @property
    def service(self) -> str: ...
    @property
    def number(self) -> int: ...
    @property
    def id(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def spec_hash(self) -> str: ...
    @property
    def content_hash(self) -> str: ...
    @property
    def exit_code(self) -> int | None: ...


@dataclass(frozen=True)
class Step(Labelled):
    """One replica and what happens to it; ``reason`` is a clause such as ``its description changed``."""

    action: Action
    service: str
    number: int
    reason: str
    id: str = ""


@dataclass(frozen=True)
class _World:
    """Knowledge of replicas beyond what they say themselves: why those of a service are older than what there is
    by now, which are off a network, and which would not see their mounted files by a reload."""

    newer: Mapping[str, str]
    detached: Mapping[tuple[str, int], str]
    replaced: AbstractSet[tuple[str, int]]


@dataclass(frozen=True)
class Plan:
    """Steps in levels: those of one level may run at once, a level follows when the one before is ready.

    Removals come first, newest replica first. ``orphans`` names services that run but are not described.
    """

    levels: tuple[tuple[Step, ...], ...] = ()
    orphans: tuple[str, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps, those that change nothing included, in order."""
        return tuple(step for level in self.levels for step in level)

    @property
    def changes(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.action is not Action.NOTHING)


def plan(
    stack: Stack,
    observed: Sequence[ReplicaLike],
    *,
    services: Collection[str] = (),
    remove_orphans: bool = False,
    rebuilt: AbstractSet[str] = frozenset(),
    edited: AbstractSet[str] = frozenset(),
    detached: Mapping[tuple[str, int], str] = _NOTHING,
    replaced: AbstractSet[tuple[str, int]] = frozenset(),
) -> Plan:
    """The steps for ``services`` (all when empty; what they depend on is not added).

    ``rebuilt`` names services whose image is newer than their replicas, ``edited`` those whose code is. ``detached``
    are replicas that are not on the network which is named, ``replaced`` those with a mounted file that a reload would
    not read. Orphans are removed only when asked.
    """
    wanted = set(services) or set(stack.services)
    described = stack.services.keys() | set(stack.inactive)
    strangers = [replica for replica in observed if replica.service not in described]
    leaving = [_removal(replica, "its service is not described any more") for replica in strangers if remove_orphans]
    leaving += _surplus(stack, observed, wanted)
    newer = dict.fromkeys(edited, "its code changed") | dict.fromkeys(rebuilt, "its image was rebuilt")
    world = _World(newer, detached, replaced)
    levels = [tuple(_newest_first(leaving))]
    for level in dependency_levels(stack):
        found = (step for name in level if name in wanted for step in _service(stack.services[name], observed, world))
        levels.append(tuple(found))
    orphans = sorted({replica.service for replica in strangers})
    return Plan(tuple(level for level in levels if level), tuple(orphans))


def dependency_levels(stack: Stack) -> tuple[tuple[str, ...], ...]:
    """Names of services: each level depends only on the levels before it."""
    depth: dict[str, int] = {}
    for service in stack.in_order():
        depth[service.name] = 1 + max((depth[needed.service] for needed in service.depends_on), default=-1)
    deepest = max(depth.values(), default=-1)
    return tuple(tuple(name for name in depth if depth[name] == level) for level in range(deepest + 1))


def _surplus(stack: Stack, observed: Iterable[ReplicaLike], wanted: AbstractSet[str]) -> list[Step]:
    """Replicas beyond the wanted number: the newest leave. Numbers may have gaps, which draining leaves behind."""
    leaving = []
    for name in wanted & stack.services.keys():
        replicas = stack.services[name].replicas
        numbered = sorted((found for found in observed if found.service == name), key=lambda found: found.number)
        leaving += [_removal(replica, f"{_count(replicas)} wanted") for replica in numbered[replicas:]]
    return leaving


def _count(replicas: int) -> str:
    return f"only {replicas} {'is' if replicas == 1 else 'are'}" if replicas else "none is"


def _removal(replica: ReplicaLike, reason: str) -> Step:
    return Step(Action.REMOVE, replica.service, replica.number, reason, replica.id)


def _newest_first(steps: Iterable[Step]) -> list[Step]:
    return sorted(steps, key=lambda step: (step.service, -step.number))


def _service(service: Service, observed: Iterable[ReplicaLike], world: _World) -> list[Step]:
    replicas = {replica.number: replica for replica in observed if replica.service == service.name}
    steps = []
    for number in _numbers(service.replicas, replicas):
        replica = replicas.get(number)
        if replica is None:
            steps.append(Step(Action.CREATE, service.name, number, "does not exist yet"))
            continue
        action, reason = _judge(service, replica, world)
        steps.append(Step(action, service.name, number, reason, replica.id))
    return steps


def _numbers(wanted: int, existing: Iterable[int]) -> list[int]:
    """Which numbers the replicas have: those that exist stay, the lowest free ones fill up."""
    kept = sorted(existing)[:wanted]
    free = (number for number in count(1) if number not in kept)
    return sorted([*kept, *islice(free, wanted - len(kept))])


def _judge(service: Service, replica: ReplicaLike, world: _World) -> tuple[Action, str]:
    """The step for an existing replica, and why."""
    if not replica.spec_hash:
        return Action.RECREATE, "was not made by tradebot"
    if replica.spec_hash != service.spec_hash:
        return Action.RECREATE, "its description changed"
    if newer := world.newer.get(service.name):
        return Action.RECREATE, newer
    same_content = replica.content_hash in {"", service.content_hash}
    if service.one_shot:
        return _one_shot(replica, same_content=same_content)
    if network := world.detached.get((service.name, replica.number)):
        return Action.RECREATE, f"is not on the network {network}"
    if (revival := _revival(replica)) is not None:
        return revival
    if same_content:
        return Action.NOTHING, "is as described"
    if service.reload and (service.name, replica.number) in world.replaced:
        return Action.RESTART, "its mounted file was replaced, and a reload would read the old one"
    if service.reload:
        return Action.RELOAD, "its mounted configuration changed"
    return Action.RESTART, "its mounted configuration changed and it cannot reload"


def _revival(replica: ReplicaLike) -> tuple[Action, str] | None:
    """How a replica that does not run comes back; None when it runs."""
    code = "" if replica.exit_code is None else f" with exit code {replica.exit_code}"
    known = {
        "starting": None,
        "running": None,
        "created": (Action.START, "was never started"),
        "paused": (Action.START, "is paused"),
        "exited": (Action.START, f"stopped{code}"),
        "failed": (Action.START, f"gave up{code}"),
        "restarting": (Action.RESTART, f"keeps crashing{code}"),
    }
    return known.get(replica.state, (Action.RECREATE, f"is {replica.state}"))


def _one_shot(replica: ReplicaLike, *, same_content: bool) -> tuple[Action, str]:
    """A one-shot is done at exit 0 and runs again when it failed or what it reads changed."""
    if replica.state in {"starting", "running"}:
        return Action.NOTHING, "is at work"
    if replica.state == "exited" and replica.exit_code == 0:
        return (Action.NOTHING, "is done") if same_content else (Action.RECREATE, "its mounted configuration changed")
    if replica.state == "created":
        return Action.START, "was never started"
    code = "" if replica.exit_code is None else f" with exit code {replica.exit_code}"
    return Action.RECREATE, f"failed{code}"
