"""Blind alerts are said by whoever is asked how the stack is: no alert will."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.paths import ROOT
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.model import Level
from tradebot_ops.operations.lifecycle import status as module
from tradebot_ops.operations.lifecycle.status import status
from tradebot_ops.settings import load_settings


@pytest.fixture
def engine() -> StubEngine:
    return StubEngine("demo")


def made(engine: StubEngine, folder: Path, profiles: str = "monitoring") -> Ops:
    environ = {"TRADEBOT_STATE": str(folder), "HOME": str(folder), "TRADEBOT_PROFILES": profiles}
    ops = Ops(load_settings({"project": "demo"}, environ, ROOT), engine)
    engine.prepare(ops.stack, lambda service, line: None)
    return ops


def blind(ops: Ops, *services: str) -> list[tuple[Level, str, str]]:
    found = status(ops, services, only=bool(services)).findings
    return [(each.level, each.message, each.hint) for each in found if each.id == "status.blind"]


def test_prometheus_or_alertmanager_away_is_said_plainly(engine: StubEngine, tmp_path: Path) -> None:
    ops = made(engine, tmp_path)
    for service in ("worker", "prometheus", "alertmanager"):
        engine.apply(ops.stack, service, 1)
    engine.crash("prometheus", 1, for_good=True)
    start = "tradebot monitoring start"
    unnoticed = (Level.FAIL, "Alerts are blind: prometheus is failed, so no fault is noticed.", start)
    assert unnoticed in blind(ops)
    engine.crash("alertmanager", 1, for_good=True)
    untold = (Level.FAIL, "Alerts are blind: alertmanager is failed, so nobody is notified of a fault.", start)
    assert blind(ops) == [unnoticed, untold]
    assert blind(ops, "worker") == []


def test_a_replica_that_is_missing_is_away_as_well(engine: StubEngine, tmp_path: Path) -> None:
    ops = made(engine, tmp_path)
    assert blind(ops) == [], "nothing runs: that is enough"
    engine.apply(ops.stack, "worker", 1)
    assert [message.partition(",")[0] for _, message, _ in blind(ops)] == [
        "Alerts are blind: prometheus is missing",
        "Alerts are blind: alertmanager is missing",
    ]


def test_who_chose_no_monitoring_misses_none(engine: StubEngine, tmp_path: Path) -> None:
    ops = made(engine, tmp_path, "core")
    engine.apply(ops.stack, "worker", 1)
    assert blind(ops) == []


@pytest.mark.parametrize(
    ("halt", "messages"),
    [
        (None, []),
        ({"halted": False, "at": None, "by": None, "reason": None}, []),
        (
            {"halted": True, "at": "2026-11-28T08:15:00Z", "by": "ana@desk", "reason": "fills look wrong"},
            ["HALTED by ana@desk 45 min ago, no job is taken or started: fills look wrong."],
        ),
    ],
)
def test_a_halt_is_the_first_that_is_read(
    engine: StubEngine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    halt: dict[str, Any] | None,
    messages: list[str],
) -> None:
    monkeypatch.setattr(module, "halted", lambda ops, running: halt)
    ops = made(engine, tmp_path, "core")
    ops.clock = lambda: datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
    engine.apply(ops.stack, "worker", 1)
    report = status(ops)
    data: Any = report.data
    assert data["halt"] == halt
    assert [each.message for each in report.findings if each.id == "status.halted"] == messages
    assert not messages or report.findings[0].hint == "tradebot resume"
