"""Which events are asked for, and of whom."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.operations.test_change import NOON, world
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Event
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.operations.events import happened

EARLY = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("services", "since", "follow", "asked", "found"),
    [
        ([], None, False, (None, False), ["store", "worker", "gone"]),
        (["workers"], None, True, (NOON, True), ["worker"]),
        (["store", "worker"], EARLY, True, (EARLY, True), ["store", "worker"]),
        ([], EARLY, False, (EARLY, False), ["store", "worker", "gone"]),
    ],
)
def test_those_of_the_services_that_are_named(
    tmp_path: Path, services: list[str], since: datetime | None, follow: bool, asked: Any, found: list[str]
) -> None:
    """Without names also of those that left the stack."""
    calls: list[tuple[datetime | None, bool]] = []

    class Engine(StubEngine):
        def events(self, since: datetime | None = None, *, follow: bool = False) -> Iterator[Event]:
            calls.append((since, follow))
            return iter([Event(NOON, service, 1, "start") for service in ("store", "worker", "gone")])

    ops = Ops(world(tmp_path).settings, Engine("demo"), clock=lambda: NOON)
    assert [event.service for event in happened(ops, services, since, follow=follow)] == found
    assert calls == [asked]
