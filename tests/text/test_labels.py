"""A replica has one name, whoever speaks of it."""

import re

import pytest

from tests.paths import ROOT
from tradebot_ops.engines.base import Event, LogLine, Replica
from tradebot_ops.stack.plan import Step
from tradebot_ops.text.labels import Labelled, label

#: Where the name is made, and where Compose's own name of a container is.
MADE = {"tradebot_ops/text/labels.py", "tradebot_ops/engines/docker/spec.py"}


@pytest.mark.parametrize("kind", [Replica, LogLine, Event, Step])
def test_whatever_is_about_a_replica_has_its_label(kind: type[Labelled]) -> None:
    assert issubclass(kind, Labelled)


def test_a_label_is_service_and_number() -> None:
    assert label("worker", 2) == LogLine("worker", 2, "text").label == "worker-2"


def test_nobody_else_puts_it_together() -> None:
    spelt = re.compile(r"\{[\w.]*(service|name)[\w.]*\}-\{[\w.]*number\}")
    found = (path for path in ROOT.glob("tradebot_ops/**/*.py") if spelt.search(path.read_text()))
    assert {str(path.relative_to(ROOT)) for path in found} <= MADE
