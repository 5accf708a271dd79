"""What is said of the monitoring. The whole is proved in the integration tests."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.paths import ROOT
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.facts.metrics.monitoring import names
from tradebot_ops.operations.lifecycle import monitoring
from tradebot_ops.operations.lifecycle.monitoring import watchdog
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
    assert bool(findings) is late


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
