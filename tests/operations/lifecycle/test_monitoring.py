"""What is said of the monitoring. The whole is proved in the integration tests."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.operations.seen import Made, made
from tests.paths import ROOT
from tradebot_ops.clients import alertmanager, prometheus
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import State
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import ExitCode, Unreachable
from tradebot_ops.facts.metrics.monitoring import names
from tradebot_ops.model import Level, Report
from tradebot_ops.operations.lifecycle import monitoring, startstop
from tradebot_ops.operations.lifecycle.monitoring import watchdog, with_monitoring
from tradebot_ops.progress import OnProgress, Phase, ProgressEvent, ignore_progress
from tradebot_ops.settings import load_settings

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return NOON - timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("heard", "started", "said", "late"),
    [
        (ago(20), ago(9000), "arrived 20 s ago", False),
        (ago(200), ago(9000), "arrived 3 min ago", True),
        (ago(9000), ago(9000), "arrived 2 h ago", True),
        # Started lately: it may be late, and may not have arrived at all.
        (ago(9000), ago(20), "arrived 2 h ago", False),
        (None, ago(20), "never arrived", False),
        (None, ago(200), "never arrived", True),
    ],
)
def test_watchdog(heard: datetime | None, started: datetime, said: str, late: bool) -> None:
    facts, findings = watchdog(heard, started, NOON)
    assert facts == {"watchdog": said}
    assert [found.level for found in findings] == [Level.FAIL] * late


@pytest.fixture
def engine() -> StubEngine:
    return StubEngine("demo")


@pytest.fixture
def ops(tmp_path: Path, engine: StubEngine) -> Ops:
    environ = {"TRADEBOT_STATE": str(tmp_path), "HOME": str(tmp_path), "TRADEBOT_PROFILES": "monitoring"}
    made = Ops(load_settings({"project": "demo"}, environ, ROOT), engine)
    engine.prepare(made.stack, lambda service, line: None)
    return made


def status(ops: Ops) -> tuple[set[str], list[tuple[str, str]]]:
    """The services shown, and what is said of services."""
    report = monitoring.status(ops)
    assert isinstance(report.data, dict)
    shown = {row["service"] for row in report.data["services"]}
    return shown, [(found.message, found.hint) for found in report.findings if found.id.startswith("status.")]


def test_status_looks_at_the_monitoring_only(ops: Ops, engine: StubEngine) -> None:
    """A worker in a crash loop is another command's business."""
    for service, number in (("worker", 1), ("prometheus", 1), ("alertmanager", 1)):
        engine.apply(ops.stack, service, number)
    engine.crash("worker", 1, for_good=True)
    engine.crash("alertmanager", 1, for_good=True)
    shown, said = status(ops)
    assert shown == set(names(ops))
    assert not any(message.startswith("worker") for message, _ in said)
    assert ("alertmanager 1 is failed: the engine gives no reason.", "tradebot logs alertmanager --tail 50") in said


def test_status_without_anything_says_what_to_start(ops: Ops, engine: StubEngine) -> None:
    assert status(ops)[1] == [("Nothing runs.", "tradebot up")]
    engine.apply(ops.stack, "worker", 1)
    assert status(ops)[1] == [("Nothing of the monitoring runs.", "tradebot monitoring start")]
    assert [each.level for each in monitoring.status(ops).findings if each.id == "status.down"] == [Level.FAIL]


def target(health: str) -> prometheus.Target:
    return prometheus.Target("api", "api:8010", "http://api:8010/metrics", health, "", NOON, 0.1)


def rule(name: str, state: str, health: str = "ok") -> prometheus.Rule:
    return prometheus.Rule(name, "alerting", "group", "file.yml", "up", health, "", state, {}, {}, 60.0)


def silence(state: str) -> alertmanager.Silence:
    return alertmanager.Silence("id", state, (), NOON, NOON, "me", "why")


def answering(ops: Ops, **others: Any) -> Ops:
    """Prometheus and Alertmanager that began two hours ago, and a Watchdog heard 20 s ago."""
    status = prometheus.Status("3.5.0", ago(7200), True, ago(7200), "15d", 1234, ("http://alertmanager:9093",))
    other = alertmanager.Status("0.28.1", ago(7200), "", True, ago(7200))
    rules = [rule("Watchdog", "firing"), rule("RedisDown", "firing"), rule("ApiDown", "inactive", "err")]
    told = [{"status": "firing", "last_received_at": ago(20).isoformat()}]
    fakes: dict[str, Any] = {
        "prometheus": SimpleNamespace(
            status=lambda: status, targets=lambda: [target("up"), target("down")], rules=lambda: rules
        ),
        "alertmanager": SimpleNamespace(
            status=lambda: other,
            silences=lambda: [silence("active"), silence("expired"), silence("pending")],
            receivers=lambda: ("store", "mail"),
        ),
        "api": SimpleNamespace(alerts=lambda _limit, _name: told),
    }
    vars(ops).update(fakes | others)
    ops.clock = lambda: NOON
    return ops


def data(report: Report) -> dict[str, Any]:
    assert isinstance(report.data, dict)
    return {name: report.data[name] for name in ("prometheus", "alertmanager", "watchdog")}


def test_what_prometheus_and_alertmanager_say_of_themselves(ops: Ops) -> None:
    report = monitoring.status(answering(ops))
    assert data(report) == {
        "prometheus": {
            "prometheus": "3.5.0",
            "targets": "1 of 2 up",
            "rules": "3, 1 with errors",
            "firing": "RedisDown",
            "series": "1234",
            "retention": "15d",
            "configuration": "loaded",
            "sends alerts to": "http://alertmanager:9093",
        },
        "alertmanager": {
            "alertmanager": "0.28.1",
            "receivers": "store, mail",
            "silences": "1",
            "its configuration": "loaded",
        },
        "watchdog": {"watchdog": "arrived 20 s ago"},
    }
    rows = report.sections[-1].tables[0].rows
    assert rows == tuple((key, value) for about in data(report).values() for key, value in about.items())
    assert not [found for found in report.findings if not found.id.startswith("status.")]
    assert report.failure is ExitCode.FAILED


def test_what_fires_is_named_once_and_in_order(ops: Ops) -> None:
    answering(ops)
    names = ["E", "B", "Watchdog", "D", "A", "B", "C"]
    vars(ops.prometheus)["rules"] = lambda: [rule(name, "firing") for name in names] + [rule("Z", "pending")]
    assert data(monitoring.status(ops))["prometheus"]["firing"] == "A, B, C, D, E"


def test_alerts_that_go_nowhere_and_none_that_fire_are_said_so(ops: Ops) -> None:
    answering(ops)
    first = ops.prometheus.status()
    vars(ops.prometheus).update(status=lambda: replace(first, alertmanagers=()), rules=list)
    found = data(monitoring.status(ops))["prometheus"]
    assert (found["sends alerts to"], found["firing"], found["rules"]) == (
        "nobody", "nothing", "0, 0 with errors",
    )  # fmt: skip


def test_a_reload_that_failed_is_said_of_each(ops: Ops) -> None:
    answering(ops)
    first, second = ops.prometheus.status(), ops.alertmanager.status()
    vars(ops.prometheus)["status"] = lambda: replace(first, config_loaded=False)
    vars(ops.alertmanager)["status"] = lambda: replace(second, config_loaded=False)
    found = data(monitoring.status(ops))
    failed = "the last reload failed"
    assert found["prometheus"]["configuration"] == found["alertmanager"]["its configuration"] == failed


def test_a_silent_one_is_named_and_the_others_still_answer(ops: Ops) -> None:
    def away() -> None:
        raise Unreachable("Alertmanager gives no answer.", code="TB-0520", hint="tradebot logs alertmanager")

    away_now = SimpleNamespace(status=away, silences=away, receivers=away)
    report = monitoring.status(answering(ops, alertmanager=away_now))
    found = data(report)
    assert found["alertmanager"] == found["watchdog"] == {"error": "Alertmanager gives no answer."}
    assert found["prometheus"]["targets"] == "1 of 2 up"
    wrong = [(each.id, each.message, each.hint) for each in report.findings if not each.id.startswith("status.")]
    assert wrong == [("TB-0520", "Alertmanager gives no answer.", "tradebot logs alertmanager")] * 2
    assert report.exit_code == ExitCode.DEPENDENCY_UNREACHABLE


@pytest.mark.parametrize("young", ["prometheus", "alertmanager"])
def test_a_watchdog_may_be_late_while_one_of_both_is_young(ops: Ops, young: str) -> None:
    answering(ops)
    vars(ops.api)["alerts"] = lambda _limit, _name: []
    client = getattr(ops, young)
    fresh = replace(client.status(), started=ago(20))
    vars(client)["status"] = lambda: fresh
    assert not [each for each in monitoring.status(ops).findings if each.id == "watchdog.late"]


def test_a_watchdog_that_is_late_fails(ops: Ops) -> None:
    answering(ops)
    vars(ops.api)["alerts"] = lambda _limit, _name: []
    report = monitoring.status(ops)
    assert [each.message for each in report.findings if each.id == "watchdog.late"] == [
        "Watchdog never arrived, so other alerts would not arrive either."
    ]
    assert report.exit_code == ExitCode.DEPENDENCY_UNREACHABLE


@pytest.mark.parametrize(
    ("chosen", "then"),
    [
        ("core", ("monitoring",)),
        ("own", ("own", "monitoring")),
        ("monitoring", ("monitoring",)),
        ("*", ("*",)),
        ("", ("monitoring",)),
    ],
)
def test_the_monitoring_is_added_to_what_was_chosen(tmp_path: Path, chosen: str, then: tuple[str, ...]) -> None:
    environ = {"TRADEBOT_STATE": str(tmp_path), "HOME": str(tmp_path), "TRADEBOT_PROFILES": chosen}
    core = Ops(load_settings({"project": "demo"}, environ, ROOT), StubEngine("demo"))
    assert with_monitoring(core).profiles == then


def running(engine: StubEngine) -> set[str]:
    return {found.service for found in engine.list() if found.state is State.RUNNING}


def test_only_what_is_there_of_the_monitoring_is_stopped(ops: Ops, engine: StubEngine) -> None:
    for service in ("worker", "prometheus", "alertmanager"):
        engine.apply(ops.stack, service, 1)
    monitoring.stop(ops, ignore_progress)
    assert running(engine) == {"worker"}


def test_changes_are_named_as_they_were_typed(ops: Ops, engine: StubEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    engine.apply(ops.stack, "prometheus", 1)
    done: list[tuple[str, tuple[str, ...], dict[str, Any]]] = []

    def noting(what: str) -> Any:
        def note(given: Ops, services: list[str], progress: OnProgress, **options: Any) -> Report:
            assert given is ops
            progress(ProgressEvent(what, Phase.DONE))
            done.append((what, tuple(services), options))
            return Report()

        return note

    monkeypatch.setattr(monitoring, "up", noting("up"))
    monkeypatch.setattr(startstop, "stop", noting("stop"))
    monkeypatch.setattr(startstop, "restart", noting("restart"))

    def all_three(progress: OnProgress) -> None:
        monitoring.start(ops, progress, "monitoring up")
        monitoring.stop(ops, progress)
        monitoring.restart(ops, progress)

    assert made(monkeypatch, all_three) == [
        Made(("monitoring up",)),
        Made(("monitoring stop",)),
        Made(("monitoring restart",)),
    ]
    assert done == [
        ("up", tuple(names(ops)), {"prove": False, "dependencies": False}),
        ("stop", ("prometheus",), {}),
        ("restart", ("prometheus",), {}),
    ]
