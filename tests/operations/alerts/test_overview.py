"""Alerts with where they are and who keeps them quiet."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.seen import refusal, whole
from tests.paths import ROOT
from tradebot_ops.clients.alertmanager import HeldAlert, Matcher, Silence
from tradebot_ops.clients.prometheus import PendingOrFiring, Rule
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError, Unreachable
from tradebot_ops.model import Report
from tradebot_ops.operations.alerts import overview
from tradebot_ops.operations.alerts.overview import history, list_, show
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
    def __init__(self, why: str = "Alertmanager does not run.") -> None:
        self.why = why

    def __getattr__(self, name: str) -> Any:
        def refuse(*_arguments: object) -> None:
            raise Unreachable(self.why, code="TB-0520")

        return refuse


class Api:
    """The store, which knows that somebody looked at the firing."""

    def alerts(self, _limit: int) -> list[dict[str, Any]]:
        looked = {"by": "ana@host", "reason": "a cable", "false_positive": False, "at": NOW.isoformat()}
        return [{"fingerprint": "f", "starts_at": NOW.isoformat(), "acknowledged": looked}]


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    made = Ops(load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(tmp_path)}, ROOT), StubEngine("demo"))
    vars(made)["prometheus"] = Prometheus()
    vars(made)["api"] = Api()
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


def test_the_list_says_who_looks_at_it(ops: Ops) -> None:
    vars(ops)["alertmanager"] = Alertmanager(silenced=False)
    report = list_(ops, every=False)
    assert row(report)["acknowledged"] == "by ana@host, a cable"
    assert report.warnings == ()


def test_who_looked_at_one_firing_did_not_look_at_the_next(ops: Ops) -> None:
    """A firing is known by when it began: Alertmanager moves its end on as long as it lasts."""
    vars(ops)["alertmanager"] = held = Alertmanager(silenced=False)
    [alert] = held.alerts()
    later = NOW + timedelta(minutes=5)
    held.alerts = lambda: [replace(alert, ends_at=later)]  # type: ignore[method-assign]
    assert row(list_(ops, every=False))["acknowledged"] == "by ana@host, a cable"
    held.alerts = lambda: [replace(alert, starts_at=later)]  # type: ignore[method-assign]
    assert row(list_(ops, every=False))["acknowledged"] == ""


def test_the_list_needs_no_store(ops: Ops) -> None:
    vars(ops)["alertmanager"] = Alertmanager(silenced=False)
    vars(ops)["api"] = Away("The API does not run.")
    report = list_(ops, every=False)
    assert (row(report)["state"], row(report)["acknowledged"]) == ("firing", "")
    assert report.warnings == ("Who acknowledged an alert is not known: The API does not run.",)


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


def names(report: Report, key: str = "alerts") -> list[tuple[str, str]]:
    assert isinstance(report.data, dict)
    return [(each["name"], each["state"]) for each in report.data[key]]


def held(name: str, severity: str = "warning", state: str = "active", **by: tuple[str, ...]) -> HeldAlert:
    labels = {"alertname": name, "severity": severity}
    return HeldAlert(name, state, labels, {}, NOW, NOW, (), by.get("silenced", ()), by.get("inhibited", ()), name)


def test_a_silence_that_is_over_is_not_listed(ops: Ops) -> None:
    vars(ops)["alertmanager"] = asked = Alertmanager(silenced=True)
    over = replace(
        SILENCE, id="57021200-2", state="expired", author="ana", matchers=(Matcher("alertname", "RedisDown"),)
    )
    waits = replace(over, id="57021200-3", state="pending")
    asked.silences = lambda: [SILENCE, over, waits]  # type: ignore[method-assign]
    vars(asked)["by"] = (SILENCE.id, over.id)
    for report in (list_(ops, every=False), show(ops, "RedisDown")):
        assert isinstance(report.data, dict)
        assert [each["id"] for each in report.data["silences"]] == [SILENCE.id, waits.id]
        assert row(report)["silenced by"] == "maria"


def test_those_that_nobody_needs_to_see_first_come_last(ops: Ops) -> None:
    """By severity, then by name; what is about to fire stands among them, and what fires by design is left out."""
    pending = [
        PendingOrFiring(name, state, {"alertname": name, "severity": severity}, {}, NOW, 1.0)
        for name, state, severity in [("B", "pending", "critical"), ("Fires", "firing", "critical")]
    ]
    vars(ops)["prometheus"].alerts = lambda: pending
    vars(ops)["alertmanager"] = asked = Alertmanager(silenced=False)
    asked.alerts = lambda: [  # type: ignore[method-assign]
        held("A", "info"),
        held("D", "warning", inhibited=("C",)),
        held("Watchdog", "none"),
        held("C", "critical", silenced=("1",)),
        held("E", "performance"),
        held("A", "warning"),
    ]
    shown = [("B", "pending"), ("C", "silenced"), ("A", "firing"), ("D", "inhibited"), ("E", "firing"), ("A", "firing")]
    assert names(list_(ops, every=False)) == shown
    assert names(list_(ops, every=True)) == [*shown, ("Watchdog", "firing")]


def test_nobody_is_named_whose_silence_keeps_another_alert_quiet(ops: Ops) -> None:
    vars(ops)["alertmanager"] = asked = Alertmanager(silenced=True)
    other, again = (replace(SILENCE, id=each, author=who) for each, who in (("other", "ana"), ("again", "maria")))
    asked.silences = lambda: [SILENCE, other, again]  # type: ignore[method-assign]
    vars(asked)["by"] = (SILENCE.id, "again")
    assert row(list_(ops, every=False))["silenced by"] == "maria"


def test_nothing_fires(ops: Ops) -> None:
    vars(ops)["alertmanager"] = asked = Alertmanager(silenced=False)
    asked.alerts = list  # type: ignore[method-assign]
    assert list_(ops, every=False).sections[0].lines == ("Nothing fires.",)


class Store:
    """Keeps alerts newest first, and what it was asked for."""

    def __init__(self, *names: str) -> None:
        self._names, self.asked = names, list[tuple[int, str | None]]()

    def alerts(self, limit: int, name: str | None) -> list[dict[str, Any]]:
        self.asked.append((limit, name))
        given = {"received_at": "2026-01-01T00:00:00.5Z", "last_received_at": "2026-01-01T00:05:00.5Z"}
        rest = {"status": "firing", "severity": "info", "annotations": {"summary": "s"}, "acknowledged": None}
        return [{"name": each, **given, **rest} for each in self._names if name in {None, each}][:limit]


def test_the_history_leaves_out_what_fires_by_design_before_it_counts(ops: Ops) -> None:
    vars(ops)["api"] = store = Store("Watchdog", "A", "Watchdog", "B", "C")
    report = history(ops, None, 2)
    assert isinstance(report.data, dict)
    assert [each["name"] for each in report.data["alerts"]] == ["A", "B"]
    assert [each["name"] for each in history(ops, "Watchdog", 1).data["alerts"]] == ["Watchdog"]  # type: ignore[index, call-overload]
    assert store.asked == [(500, None), (1, "Watchdog")]
    (table,) = report.sections[0].tables
    assert table.rows[0] == ("2026-01-01 00:00:00", "2026-01-01 00:05:00", "A", "firing", "info", "s", "")


@pytest.mark.parametrize(
    ("name", "said"), [(None, "No alert was stored yet."), ("B", "No alert of the name B is stored.")]
)
def test_an_empty_history_says_so(ops: Ops, name: str | None, said: str) -> None:
    vars(ops)["api"] = Store()
    assert history(ops, name, 5).sections[0].lines == (said,)


@pytest.mark.parametrize(
    ("acknowledged", "said"),
    [
        ({"by": "ana", "reason": "", "false_positive": False}, "by ana"),
        ({"by": "ana", "reason": "seen", "false_positive": False}, "by ana, seen"),
        ({"by": "ana", "reason": "noise", "false_positive": True}, "by ana, false, noise"),
        ({"by": "ana", "reason": "", "false_positive": True}, "by ana, false"),
    ],
)
def test_who_looked_at_a_firing(ops: Ops, acknowledged: dict[str, Any], said: str) -> None:
    store = Store("A")
    [alert] = store.alerts(1, "A")
    store.alerts = lambda *_: [alert | {"acknowledged": acknowledged}]  # type: ignore[method-assign]
    vars(ops)["api"] = store
    (table,) = history(ops, "A", 1).sections[0].tables
    assert table.rows[0][-1] == said


def test_an_alert_that_no_rule_has_is_refused(ops: Ops) -> None:
    vars(ops)["alertmanager"] = Alertmanager(silenced=False)
    with pytest.raises(OpsError, match="no alert Nobody"):
        show(ops, "Nobody")


def test_all_that_is_said(ops: Ops, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion) -> None:
    noon = datetime(2026, 11, 28, 12, tzinfo=UTC)

    class Noon(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return noon

    monkeypatch.setattr(overview, "datetime", Noon)
    since, plus_two = noon - timedelta(hours=3), timezone(timedelta(hours=2))
    of_it = replace(SILENCE, starts_at=since, ends_at=datetime(2026, 11, 28, 15, tzinfo=plus_two))
    bare = {"alertname": "Bare", "zone": "b", "category": "c", "outage": "o"}
    notes = {"summary": "Redis is away", "description": "for long"}
    vars(ops)["alertmanager"] = asked = Alertmanager(silenced=True)
    asked.alerts = lambda: [  # type: ignore[method-assign]
        HeldAlert("RedisDown", "suppressed", LABELS, notes, since, since, (), (SILENCE.id,), (), "f"),
        HeldAlert("Bare", "active", bare, {}, since, since, (), (), (), "g"),
    ]
    asked.silences = lambda: [of_it]  # type: ignore[method-assign]
    vars(ops)["prometheus"].alerts = lambda: [PendingOrFiring("RedisDown", "firing", LABELS, notes, since, 1.0)]
    vars(ops)["prometheus"].rules = lambda: [
        replace(RULE, annotations=notes), replace(RULE, name="Bare", labels={}),
    ]  # fmt: skip
    looked = {"by": "ana", "reason": "seen", "false_positive": False}
    vars(ops)["api"].alerts = lambda _: [
        {"fingerprint": "f", "starts_at": since.isoformat(), "acknowledged": looked},
    ]  # fmt: skip
    assert whole(list_(ops, every=False)) == snapshot
    assert whole(show(ops, "redisdown")) == snapshot
    assert whole(show(ops, "Bare")) == snapshot
    store = Store("A")
    [alert] = store.alerts(1, "A")
    store.alerts = lambda *_: [alert | {"annotations": {}}]  # type: ignore[method-assign]
    vars(ops)["api"] = store
    assert whole(history(ops, "A", 1)) == snapshot
    with pytest.raises(OpsError) as caught:
        show(ops, "Nobody")
    assert refusal(caught.value) == snapshot


def test_only_a_silence_of_its_name_is_one_of_an_alert_that_does_not_fire(ops: Ops) -> None:
    vars(ops)["alertmanager"] = held = Alertmanager(silenced=True)
    vars(ops)["prometheus"].alerts = list
    others = [
        Matcher("alertname", "RedisDown", equal=False),
        Matcher("job", "RedisDown"),
        Matcher("alertname", "Other"),
    ]
    held.silences = lambda: [replace(SILENCE, matchers=(each,)) for each in others]  # type: ignore[method-assign]
    assert not any(section.title == "Silences" for section in show(ops, "RedisDown").sections)


@pytest.mark.parametrize(
    ("matchers", "about"),
    [
        ([Matcher("alertname", "RedisDown")], True),
        ([Matcher("alertname", "Redis.*", regex=True), Matcher("job", "redis")], True),
        # All matchers of a silence have to fit.
        ([Matcher("alertname", "Redis.*", regex=True), Matcher("alertname", "Postgres.*", regex=True)], False),
        ([Matcher("alertname", "PostgresDown")], False),
        ([Matcher("alertname", "PostgresDown", equal=False)], False),
        ([Matcher("job", "redis")], False),
    ],
)
def test_which_silences_are_about_an_alert(matchers: list[Matcher], about: bool) -> None:
    assert overview._names(replace(SILENCE, matchers=tuple(matchers)), "RedisDown") is about


def test_what_an_alert_is_about_is_told_by_its_labels_in_order(ops: Ops) -> None:
    vars(ops)["alertmanager"] = held = Alertmanager(silenced=False)
    [alert] = held.alerts()
    labels = {"queue": "jobs", "severity": "info", "instance": "api:8010", "a": "1", "job": "api", "alertname": "X"}
    held.alerts = lambda: [replace(alert, labels=labels)]  # type: ignore[method-assign]
    report = list_(ops, every=False)
    assert isinstance(report.data, dict)
    [found] = report.data["alerts"]
    assert found["what"] == "a=1 instance=api:8010 job=api queue=jobs"
    assert found["where"] == "api:8010 a=1 job=api queue=jobs"
