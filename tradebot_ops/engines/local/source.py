"""The source of the stack's own services: here replicas run it as it lies, with no image between."""

from collections.abc import Iterable

from tradebot_ops.engines.base import ImageFacts
from tradebot_ops.engines.local.records import Record
from tradebot_ops.stack.hashing import source_hash
from tradebot_ops.stack.model import Service, Stack


def source_of(service: Service) -> str:
    """The hash of what a service is built from; empty when others made it."""
    return source_hash(service.build) if service.build else ""


def facts(stack: Stack, records: Iterable[Record]) -> ImageFacts:
    """Which services have replicas that were started from other source than lies there now."""
    started = [record for record in records if record.service in stack.services]
    builds = {build.context: build for record in started if (build := stack.services[record.service].build)}
    now = {context: source_hash(build) for context, build in builds.items()}
    edited = {
        record.service
        for record in started
        if (build := stack.services[record.service].build) and record.source != now[build.context]
    }
    return ImageFacts(edited=frozenset(edited))
