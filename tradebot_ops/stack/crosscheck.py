"""Errors between values: references of services, cycles, ports taken twice, replicas that cannot be."""

from collections.abc import Iterable, Mapping

from tradebot_ops.stack.model import MountKind, Port, Service, Stack
from tradebot_ops.stack.problems import Code, Place, Problems, listed
from tradebot_ops.stack.reading.document import Item
from tradebot_ops.text.sentences import agreed
from tradebot_ops.text.suggest import did_you_mean

_EVERY_ADDRESS = {"0.0.0.0", "::", ""}  # noqa: S104 - compared with, not bound to


def check(stack: Stack, tree: Item, problems: Problems) -> None:
    """Add a problem for everything that does not fit together."""
    for service in stack.services.values():
        _references(stack, service, tree, problems)
        _replicas(service, tree, problems)
        _completes(service, tree, problems)
        _memory(service, tree, problems)
    _cycle(stack.services, tree, problems)
    _names(stack.services.values(), tree, problems)
    _ports(stack.services.values(), tree, problems)


def place_of(tree: Item, *keys: str) -> Place:
    """Where the deepest existing key of a path is written."""
    return _item_of(tree, *keys).place


def _item_of(tree: Item, *keys: str) -> Item:
    item = tree
    for key in keys:
        if not isinstance(item.value, dict) or key not in item.value:
            break
        item = item.value[key]
    return item


def _references(stack: Stack, service: Service, tree: Item, problems: Problems) -> None:
    volumes = [mount.source for mount in service.mounts if mount.kind is MountKind.VOLUME]
    named: tuple[tuple[str, Iterable[str], Mapping[str, object]], ...] = (
        ("networks", service.networks, stack.networks),
        ("volumes", volumes, stack.volumes),
        ("secrets", (secret.source for secret in service.secrets), stack.secrets),
        ("configs", (config.source for config in service.configs), stack.configs),
    )
    for key, names, declared in named:
        for name in names:
            if name not in declared:
                hint = f"{did_you_mean(name, declared)} Declared are: {listed(declared)}.".lstrip()
                place = place_of(tree, "services", service.name, key)
                problems.add(Code.REFERENCE, place, f"uses {name!r}, which the top-level `{key}` do not declare", hint)
    for name in (dependency.service for dependency in service.depends_on):
        if name not in stack.services:
            _unknown_dependency(stack, name, place_of(tree, "services", service.name, "depends_on", name), problems)


def _unknown_dependency(stack: Stack, name: str, place: Place, problems: Problems) -> None:
    if name in stack.inactive:
        message = f"waits for {name!r}, which belongs to a profile that is not chosen"
        problems.add(Code.REFERENCE, place, message, "Choose it with --profile.")
        return
    hint = f"{did_you_mean(name, stack.services)} Services are: {listed(stack.services)}.".lstrip()
    problems.add(Code.REFERENCE, place, f"waits for {name!r}, which is no service", hint)


def _replicas(service: Service, tree: Item, problems: Problems) -> None:
    if service.replicas > 1 and not service.scalable:
        message = agreed(f"asks for {service.replicas} replicas of a service that cannot be scaled")
        hint = "Write replicas: 1, or mark it `x-tradebot: {scalable: true}` if several can work side by side."
        problems.add(Code.VALUE, place_of(tree, "services", service.name, "deploy", "replicas"), message, hint)


def _memory(service: Service, tree: Item, problems: Problems) -> None:
    """A service set to use more than its limit would be killed for it, hours later and without a word why."""
    needed, limit = service.needs_memory, service.limits.memory
    if needed is None or limit is None or needed <= limit:
        return
    item = _item_of(tree, "services", service.name, "deploy", "resources", "limits", "memory")
    message = f"is {_mebibytes(limit)}, but the service is set to use {_mebibytes(needed)}"
    names = " or ".join(sorted(item.variables)) or "it"
    problems.add(Code.VALUE, item.place, message, f"Raise {names}, such as to {_mebibytes(2 * needed)}.")


def _mebibytes(size: int) -> str:
    return f"{size // 1024**2}mb"


def _completes(service: Service, tree: Item, problems: Problems) -> None:
    if service.one_shot and service.restart in {"always", "unless-stopped"}:
        place = place_of(tree, "services", service.name, "restart")
        message = f"is {service.restart!r}, but others wait for it to complete"
        problems.add(Code.VALUE, place, message, 'Write restart: "no" or on-failure.')


def _cycle(services: Mapping[str, Service], tree: Item, problems: Problems) -> None:
    """Report the first ring of services that wait for one another, as a ring."""
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> tuple[str, ...]:
        if name in trail:
            return (*trail[trail.index(name) :], name)
        if name in done or name not in services:
            return ()
        for dependency in services[name].depends_on:
            if ring := visit(dependency.service, (*trail, name)):
                return ring
        done.add(name)
        return ()

    for name in services:
        if ring := visit(name, ()):
            place = place_of(tree, "services", ring[0], "depends_on")
            problems.add(
                Code.CYCLE,
                place,
                f"waits in a circle: {' → '.join(ring)}",
                "Remove one of these dependencies.",
            )
            return


def _names(services: Iterable[Service], tree: Item, problems: Problems) -> None:
    """A container's name belongs to one container."""
    holders: dict[str, str] = {}
    for service in services:
        name = service.host.container_name
        place = place_of(tree, "services", service.name, "container_name")
        if name and (service.scalable or service.replicas > 1):
            hint = "Remove the key: replicas are named <project>-<service>-<number>."
            problems.add(Code.VALUE, place, "names one container, but the service may have several", hint)
        if name and holders.setdefault(name, service.name) != service.name:
            problems.add(Code.VALUE, place, f"is {name!r}, as that of {holders[name]}", "Choose another name.")


def _ports(services: Iterable[Service], tree: Item, problems: Problems) -> None:
    taken: list[tuple[Port, str]] = []
    for service in services:
        for port in service.ports:
            holder = next((name for other, name in taken if _clash(port, other)), None)
            if holder is not None:
                message = f"publishes {port.host_ip}:{port.published}, which {holder} publishes already"
                place = place_of(tree, "services", service.name, "ports")
                problems.add(Code.PORT, place, message, "Choose another port outside.")
            taken.append((port, service.name))


def _clash(one: Port, other: Port) -> bool:
    same_address = one.host_ip == other.host_ip or bool(_EVERY_ADDRESS & {one.host_ip, other.host_ip})
    return one.published == other.published != 0 and same_address
