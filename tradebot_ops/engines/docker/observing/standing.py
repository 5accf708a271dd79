"""The ground under the replicas of a project, compared with the description: networks, and single mounted files."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tradebot_ops.engines.docker import spec
from tradebot_ops.engines.docker.single_files import identity
from tradebot_ops.stack.model import Service, Stack

#: Containers as the engine lists them.
Listed = Sequence[Mapping[str, Any]]


def detached(stack: Stack, listed: Listed, existing: Mapping[str, str]) -> dict[tuple[str, int], str]:
    """Replicas that are not on one of their networks, with its name; ``existing`` has the networks' ids by name."""
    found = {}
    for each, service, number in _described(stack, listed):
        attached = (each.get("NetworkSettings") or {}).get("Networks") or {}
        if away := spec.detached_from(stack, service, attached, existing):
            found[service.name, number] = away
    return found


def replaced(stack: Stack, listed: Listed) -> frozenset[tuple[str, int]]:
    """Replicas with a file mounted by itself whose name another file has by now."""
    return frozenset(
        (service.name, number)
        for each, service, number in _described(stack, listed)
        if each["Labels"].get(spec.SINGLE_FILES, "") != identity(stack, service)
    )


def _described(stack: Stack, listed: Listed) -> Iterator[tuple[Mapping[str, Any], Service, int]]:
    for each in listed:
        name, number = spec.owner(each["Labels"])
        if name in stack.services:
            yield each, stack.services[name], number
