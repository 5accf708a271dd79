"""Find every topic with its looks, and every cause."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from types import ModuleType

from tradebot_ops.diagnostics import causes, topics
from tradebot_ops.diagnostics.cause import Cause
from tradebot_ops.diagnostics.topic import Look, Topic
from tradebot_ops.discovery import discover, offering
from tradebot_ops.errors import OpsError
from tradebot_ops.text.suggest import did_you_mean

FULL = "full"


@cache
def catalogue() -> tuple[Topic, ...]:
    """Every topic, in the order in which `diag full` shows them."""
    found = (_topic(module) for module in offering(topics, "TOPIC"))
    return tuple(sorted(found, key=lambda topic: (topic.order, topic.name)))


def _topic(module: ModuleType) -> Topic:
    topic: Topic = module.TOPIC
    return replace(topic, looks=tuple(value for value in vars(module).values() if isinstance(value, Look)))


@cache
def known_causes() -> tuple[Cause, ...]:
    """Every cause, in the order of their rooms and files."""
    return discover(causes, "CAUSE")


def choose(name: str) -> Sequence[Topic]:
    """The topics of that name, all for ``full``. Raises ``OpsError`` TB-0240 with the nearest name."""
    if name == FULL:
        return catalogue()
    chosen = [topic for topic in catalogue() if topic.name == name]
    if not chosen:
        names = [FULL, *(topic.name for topic in catalogue())]
        hint = f"{did_you_mean(name, names)} The topics are: {', '.join(names)}.".lstrip()
        raise OpsError(f"There is no topic '{name}'.", code="TB-0240", hint=hint)
    return chosen
