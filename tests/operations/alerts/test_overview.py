"""Alerts with where they are and who keeps them quiet."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.paths import ROOT
from tradebot_ops.clients.alertmanager import HeldAlert, Matcher, Silence
from tradebot_ops.clients.prometheus import PendingOrFiring, Rule
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError, Unreachable
from tradebot_ops.model import Report
from tradebot_ops.operations.alerts.overview import list_, show
from tradebot_ops.settings import load_settings

NOW = datetime.now(UTC)
LABELS = {"alertname": "RedisDown", "severity": "critical", "instance": "redis:6379", "job": "redis"}
SILENCE = Silence("57021200-1", "active", (Matcher("job", "redis"),), NOW, NOW + timedelta(hours=1), "maria", "move")
RULE = Rule("RedisDown", "alerting", "g", "f.yml", "redis_up == 0", "ok", "", "firing", LABELS, {}, 30.0)


class Prometheus:
    def rules(self) -> list[Rule]:
        return [RULE]

    def alerts(self) -> list[PendingOrFiring]:
        return [PendingOrFiring("RedisDown", "firing", LABELS, {"summary": "Redis is away"}, NOW, 1.0)]


class Alertmanager:
    """Holds one alert; ``silenced`` says whether somebody keeps it quiet."""

    def __init__(self, *, silenced: bool) -> None:
        self.by = (SILENCE.id,) if silenced else ()

    def alerts(self) -> list[HeldAlert]:
        state = "suppressed" if self.by else "active"
        return [HeldAlert("RedisDown", state, LABELS, {"summary": "Redis is away"}, NOW, NOW, (), self.by, (), "f")]

    def silences(self) -> list[Silence]:
        return [SILENCE] if self.by else []


class Away:
    def __getattr__(self, name: str) -> Any:
        def refuse() -> None:
            raise Unreachable("Alertmanager does not run.", code="TB-0520")

        return refuse


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    made = Ops(load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(tmp_path)}, ROOT), StubEngine("demo"))
    vars(made)["prometheus"] = Prometheus()
    return made


def row(report: Report) -> dict[str, str]:
    """The alert, by the headings of its table."""
    (table,) = (table for section in report.sections for table in section.tables if "where" in table.columns)
    return dict(zip(table.columns, table.rows[0], strict=True))


@pytest.mark.parametrize(("silenced", "state", "who"), [(True, "silenced", "maria"), (False, "firing", "")])
def test_both_screens_say_where_it_is_and_who_keeps_it_quiet(ops: Ops, *, silenced: bool, state: str, who: str) -> None:
    vars(ops)["alertmanager"] = Alertmanager(silenced=silenced)
    for report in (list_(ops, every=False), show(ops, "redisdown")):
        found = row(report)
        assert (found["where"], found["state"], found["silenced by"]) == ("redis:6379 job=redis", state, who)
        assert any(section.title == "Silences" for section in report.sections) is silenced


def test_an_alert_is_shown_without_alertmanager_too(ops: Ops) -> None:
    vars(ops)["alertmanager"] = Away()
    report = show(ops, "RedisDown")
    assert row(report)["state"] == "firing"
    assert report.warnings == ("Silences are not known: Alertmanager does not run.",)


def test_a_silence_of_an_alert_that_does_not_fire_is_known(ops: Ops) -> None:
    vars(ops)["alertmanager"] = held = Alertmanager(silenced=True)
    vars(ops)["prometheus"].alerts = list
    named = replace(SILENCE, matchers=(Matcher("alertname", "Redis.*", regex=True),))
    held.silences = lambda: [SILENCE, named]  # type: ignore[method-assign]
    report = show(ops, "RedisDown")
    assert isinstance(report.data, dict)
    assert [each["matchers"] for each in report.data["silences"]] == [['alertname=~"Redis.*"']]


def test_an_alert_that_no_rule_has_is_refused(ops: Ops) -> None:
    vars(ops)["alertmanager"] = Alertmanager(silenced=False)
    with pytest.raises(OpsError, match="no alert Nobody"):
        show(ops, "Nobody")
