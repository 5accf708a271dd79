"""Names typed by people, turned into services of the stack."""

from collections.abc import Iterable, Sequence

from tradebot_ops.errors import OpsError
from tradebot_ops.stack.model import Stack
from tradebot_ops.text.suggest import did_you_mean

#: The brief's `make` targets spell names as `service=api` and `workers=6`.
_ALIASES = {"workers": "worker"}


def service_name(stack: Stack, typed: str) -> str:
    """A service by its name, its plural or the brief's `service=NAME`. Raises ``OpsError`` TB-0201."""
    name = typed.removeprefix("service=")
    name = _ALIASES.get(name, name)
    if name in stack.services:
        return name
    raise OpsError(
        f"There is no service '{name}' in this stack. {did_you_mean(name, stack.services)}".rstrip(),
        code="TB-0201",
        hint=f"Services: {', '.join(stack.services)}.",
    )


def chosen_services(stack: Stack, typed: Sequence[str]) -> tuple[str, ...]:
    """The named services, all when none was named, in the stack's order."""
    if not typed:
        return tuple(stack.services)
    names = {service_name(stack, name) for name in typed}
    return tuple(name for name in stack.services if name in names)


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
