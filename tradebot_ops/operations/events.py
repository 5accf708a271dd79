"""Events of the replicas of chosen services."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Event
from tradebot_ops.operations.select import chosen_services


def happened(ops: Ops, services: Sequence[str], since: datetime | None, *, follow: bool) -> Iterator[Event]:
    """Oldest first, as far back as the engine remembers; with ``follow`` from now on unless ``since`` says more.

    Without ``services`` all of the project's, those of services that left the stack included.
    """
    chosen = set(chosen_services(ops.stack, services)) if services else set()
    start = ops.clock() if follow and since is None else since
    events = ops.engine.events(start, follow=follow)
    return (event for event in events if not chosen or event.service in chosen)
