"""Each fault once, from every source that answers; what is new since the last start is told apart."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.paths import ROOT
from tradebot_ops.clients.prometheus import PendingOrFiring
from tradebot_ops.context import Ops
from tradebot_ops.diagnostics import errors
from tradebot_ops.diagnostics.errors import report
from tradebot_ops.engines.base import LogLine, Replica, State
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import Unreachable
from tradebot_ops.settings import load_settings

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ROW = {"fingerprint": "a" * 16, "type": "KeyError", "message": "no password=hunter22x", "location": "jobs.py:submit"}

FIRING = PendingOrFiring("PostgresDown", "firing", {"outage": "postgres"}, {}, NOON - timedelta(minutes=6), 1.0)
OVER = {
    "name": "HighJobFailureRate", "status": "resolved", "labels": {"category": "jobs"},
    "starts_at": (NOON - timedelta(minutes=15)).isoformat(), "ends_at": (NOON - timedelta(minutes=8)).isoformat(),
}  # fmt: skip


class Failing(StubEngine):
    """Its worker was started half an hour ago, and failed before and after."""

    def list(self) -> tuple[Replica, ...]:
        return (Replica("worker", 1, "a", "worker-1", State.RUNNING, started_at=NOON - timedelta(minutes=30)),)

    def logs(self, query: Any) -> Any:
        for minutes in (50, 20, 10):
            text = json.dumps({"level": "error", "event": f"job {minutes} failed", "job_id": f"j{minutes}"})
            yield LogLine("worker", 1, text, NOON - timedelta(minutes=minutes))
        yield LogLine("postgres", 1, "FATAL:  out of memory", NOON - timedelta(minutes=5))


class Ledger:
    """Gives the API's errors, and none of jobs."""

    def rows(self, query: str, params: Any) -> list[dict[str, Any]]:
        if "api_error" not in query:
            raise Unreachable("Postgres fell over.", code="TB-0535")
        assert params[0] == 3600
        return [{**ROW, "count": 9, "first": NOON - timedelta(days=3), "last": NOON}]


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    settings = load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(tmp_path)}, ROOT)
    ops = Ops(settings, Failing("demo"), lambda: NOON)
    ops.__dict__["postgres"] = Ledger()
    ops.__dict__["prometheus"] = SimpleNamespace(alerts=lambda: [FIRING])
    ops.__dict__["api"] = SimpleNamespace(alerts=lambda _limit: [OVER])
    return ops


def test_each_names_the_alert_it_belongs_to(ops: Ops) -> None:
    found = report(ops, "1h")
    assert isinstance(found.data, dict)
    assert [(each["service"], each["alert"]) for each in found.data["faults"]] == [
        ("api", ""),
        ("worker", "HighJobFailureRate, over for 8 min"),
        ("postgres", "PostgresDown, firing"),
    ]
    assert [row[-1] for row in found.sections[0].tables[0].rows] == [each["alert"] for each in found.data["faults"]]


def test_without_alerts_the_faults_are_shown_and_that_is_said(ops: Ops) -> None:
    del ops.__dict__["prometheus"], ops.__dict__["api"]
    found = report(ops, "1h")
    assert isinstance(found.data, dict)
    assert [each["alert"] for each in found.data["faults"]] == ["", "", ""]
    assert {"alerts that fire", "alerts that are over"} <= set(found.data["not_examined"])


def test_faults_of_every_source_most_frequent_first(ops: Ops) -> None:
    found = report(ops, "1h")
    assert isinstance(found.data, dict)
    told = [
        (each["source"], each["service"], each["event"], each["count"], each["new"]) for each in found.data["faults"]
    ]
    assert told == [
        ("api", "api", "jobs.py:submit", 9, False),
        ("log", "worker", "job <number> failed", 3, False),
        ("log", "postgres", "FATAL: out of memory", 1, True),
    ]
    assert found.data["faults"][1]["jobs"] == ["j50", "j20", "j10"]
    assert "hunter22x" not in json.dumps(found.to_dict())
    assert found.sections[0].lines == (
        "3 faults, seen 13 times; 1 new since the last start 30 min ago; 4 lines of logs read.",
        "dead jobs not examined: Postgres fell over.",
    )


def test_only_what_is_new(ops: Ops) -> None:
    found = report(ops, "1h", only_new=True)
    assert isinstance(found.data, dict)
    assert [each["event"] for each in found.data["faults"]] == ["FATAL: out of memory"]


def test_of_a_log_without_end_the_last_lines_are_read_and_that_is_said(
    ops: Ops, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errors, "MOST_LINES", 3)
    assert report(ops, "1h").sections[0].lines[1] == "Of worker-1 only the last 3 lines were read."
