"""Names typed by people, turned into services and replicas of the stack."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tradebot_ops.engines.base import LogLine, Replica
from tradebot_ops.errors import OpsError
from tradebot_ops.stack.model import Stack
from tradebot_ops.text.suggest import did_you_mean

#: The brief's `make` targets spell names as `service=api` and `workers=6`.
_ALIASES = {"workers": "worker"}


def service_name(stack: Stack, typed: str) -> str:
    """A service by its name, its plural or the brief's `service=NAME`. Raises ``OpsError`` TB-0201."""
    name = _spelt(typed)
    if name in stack.services:
        return name
    raise OpsError(
        f"There is no service '{name}' in this stack. {did_you_mean(name, stack.services)}".rstrip(),
        code="TB-0201",
        hint=f"Services: {', '.join(stack.services)}.",
    )


def _spelt(typed: str) -> str:
    name = typed.removeprefix("service=")
    return _ALIASES.get(name, name)


def chosen_services(stack: Stack, typed: Sequence[str]) -> tuple[str, ...]:
    """The named services, all when none was named, in the stack's order."""
    if not typed:
        return tuple(stack.services)
    names = {service_name(stack, name) for name in typed}
    return tuple(name for name in stack.services if name in names)


@dataclass(frozen=True)
class Chosen:
    """Services and, for those in ``numbers``, certain replicas alone."""

    services: tuple[str, ...]
    numbers: Mapping[str, Collection[int]]

    def holds(self, found: Replica | LogLine) -> bool:
        return found.service in self.services and found.number in self.numbers.get(found.service, (found.number,))


def chosen_replicas(stack: Stack, typed: Sequence[str]) -> Chosen:
    """Replicas named as ``worker-2``, ``worker 2`` or ``worker``, all when none is. Raises ``OpsError`` TB-0201."""
    named: list[tuple[str, int | None]] = []
    for word in typed:
        if word.isdigit() and named and named[-1][1] is None:
            named[-1] = (named[-1][0], int(word))
        else:
            named.append(replica_name(stack, word))
    numbers: dict[str, set[int]] = {}
    for name, number in named:
        if number is not None and (name, None) not in named:
            numbers.setdefault(name, set()).add(number)
    return Chosen(chosen_services(stack, [name for name, _ in named]), numbers)


def replica_name(stack: Stack, typed: str) -> tuple[str, int | None]:
    """The service and the number of ``worker-2``; the number is None for a service. Raises ``OpsError`` TB-0201."""
    name, _, number = typed.rpartition("-")
    if _spelt(typed) not in stack.services and _spelt(name) in stack.services and number.isdigit():
        return _spelt(name), int(number)
    return service_name(stack, typed), None


def refuse_unknown(chosen: Chosen, there: Iterable[Replica]) -> None:
    """Raise ``OpsError`` TB-0212 for a number that no replica has."""
    known: dict[str, list[int]] = {name: [] for name in chosen.numbers}
    for found in there:
        known.get(found.service, []).append(found.number)
    for name, numbers in chosen.numbers.items():
        if unknown := sorted(set(numbers) - set(known[name])):
            raise no_such_replica(name, unknown[0], known[name])


def no_such_replica(name: str, number: int, there: Iterable[int]) -> OpsError:
    known = ", ".join(map(str, sorted(there))) or "none"
    return OpsError(f"{name} has no replica {number}; there are: {known}.", code="TB-0212", hint="tradebot status")


def with_dependencies(stack: Stack, names: Iterable[str]) -> tuple[str, ...]:
    """The services and all they depend on."""
    wanted: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting += [dependency.service for dependency in stack.services[name].depends_on]
    return tuple(name for name in stack.services if name in wanted)
