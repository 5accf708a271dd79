"""The alert that a fault belongs to: about its service, at its time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.paths import ROOT
from tradebot_ops.clients.prometheus import PendingOrFiring
from tradebot_ops.diagnostics.related import ABOUT, Alarm, alarm_of, alarms
from tradebot_ops.text import yaml_

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def before(minutes: float) -> datetime:
    return NOON - timedelta(minutes=minutes)


def firing(name: str, state: str = "firing", **labels: str) -> PendingOrFiring:
    return PendingOrFiring(name, state, labels, {}, before(5), 1.0)


def stored(name: str, begin: float, end: float | None, **labels: str) -> dict[str, Any]:
    over = None if end is None else before(end).isoformat()
    status = "firing" if end is None else "resolved"
    return {"name": name, "status": status, "starts_at": before(begin).isoformat(), "ends_at": over, "labels": labels}


KNOWN = alarms(
    (firing("PostgresDown", outage="postgres"), firing("SlowQueries", "pending", category="postgres"),
     firing("Watchdog", category="api")),
    (stored("HighJobFailureRate", 50, 40, category="jobs"), stored("WorkerInstanceDown", 30, 20, job="worker"),
     stored("HighErrorRate", 20, None, category="api"), stored("SyntheticAlert", 20, 1, category="api")),
)  # fmt: skip


@pytest.mark.parametrize(
    ("service", "first", "last", "name"),
    [
        ("postgres", 8, 1, "PostgresDown"),
        ("postgres-exporter", 8, 1, ""),
        ("postgres", 300, 200, ""),
        ("worker", 45, 1, "WorkerInstanceDown"),
        ("worker", 45, 43, "HighJobFailureRate"),
        ("worker", 300, 61, ""),
        ("worker", 5, 1, ""),
        ("api", 15, 1, ""),
    ],
)
def test_it_is_about_the_same_service_at_the_same_time(service: str, first: float, last: float, name: str) -> None:
    found = alarm_of(service, before(first), before(last), KNOWN, NOON)
    assert (found.name if found else "") == name


def test_one_that_fires_comes_before_one_that_is_over() -> None:
    known = (Alarm("Old", frozenset({"api"}), before(9), before(1)), Alarm("New", frozenset({"api"}), before(4)))
    found = alarm_of("api", before(8), before(1), known, NOON)
    assert found is not None
    assert found.shown(NOON) == "New, firing"
    assert known[0].shown(NOON) == "Old, over for 60 s"


def test_of_an_error_without_time_nobody_knows() -> None:
    assert alarm_of("postgres", None, None, KNOWN, NOON) is None


def test_every_category_of_the_rules_is_about_some_service() -> None:
    """But those about the host, and those that name the service in a label of their own."""
    used = {
        rule["labels"]["category"]
        for file in (ROOT / "config/prometheus/rules").glob("*.yml")
        for group in yaml_.load(file.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }
    assert used - set(ABOUT) <= {"host", "availability"}
