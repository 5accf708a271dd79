"""A series that is not there: too early to tell, or an error."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from tradebot_ops.errors import OpsError
from tradebot_ops.facts.fact import NotApplicable, Skip
from tradebot_ops.facts.metrics.prometheus import FIRST_SCRAPE, unmeasured

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)


def ops(age: timedelta) -> Any:
    status = SimpleNamespace(started=NOW - age)
    return SimpleNamespace(clock=lambda: NOW, prometheus=SimpleNamespace(status=lambda: status))


def test_a_young_prometheus_has_nothing_to_judge_yet() -> None:
    found = unmeasured(ops(FIRST_SCRAPE - timedelta(seconds=1)), "a worker")
    assert isinstance(found, NotApplicable)
    assert found.answer.reason is Skip.PREREQUISITE


@pytest.mark.parametrize("age", [FIRST_SCRAPE, timedelta(days=1)])
def test_later_it_is_an_error(age: timedelta) -> None:
    found = unmeasured(ops(age), "a worker")
    assert isinstance(found, OpsError)
    assert found.message == "Prometheus has not measured a worker yet."
