"""What is said of the rules' tests, and of alerts without a runbook; promtool stands in."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.seen import whole
from tests.paths import ROOT
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.facts.metrics.promtool import Result
from tradebot_ops.model import Finding, Level, Report
from tradebot_ops.operations.alerts import lint
from tradebot_ops.settings import load_settings

UNUSED = Finding(Level.FAIL, "contract.broken", "x.", hint="tradebot metrics list")


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    return Ops(load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(tmp_path)}, ROOT), StubEngine("demo"))


@pytest.mark.parametrize("ok", [True, False])
def test_the_tests_of_the_rules(
    ops: Ops, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion, ok: bool
) -> None:
    output = "Unit Testing: a\n  SUCCESS  \n\nUnit Testing: b\n  SUCCESS\n"
    asked: list[tuple[object, ...]] = []

    def tests(*given: object) -> Result:
        asked.append(given)
        return Result(ok, output if ok else "Unit Testing: a\n\n  FAILED: no  \n")

    monkeypatch.setattr("tradebot_ops.facts.metrics.promtool.test_rules", tests)
    report = lint.test_rules(ops, ["workers"])
    assert asked == [(ops, ["workers"])]
    assert report.ok is ok
    assert whole(report) == snapshot


@pytest.mark.parametrize("pages", [["A", "B", "README"], ["B"]])
def test_every_alert_has_its_runbook_and_every_metric_its_source(
    ops: Ops, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion, pages: list[str]
) -> None:
    uses = [SimpleNamespace(where=where) for where in ("alert B", "alert A", "panel C", "alert A")]
    found = () if "A" in pages else (UNUSED,)
    asked: list[tuple[object, bool]] = []

    def contract(given: Ops, *, live: bool) -> Report:
        asked.append((given, live))
        return Report(findings=found)

    monkeypatch.setattr("tradebot_ops.facts.metrics.promtool.check", {ops: ("prometheus.yml", "a.yml")}.__getitem__)
    monkeypatch.setattr("tradebot_ops.facts.alerting.runbooks.names", {ops: pages}.__getitem__)
    monkeypatch.setattr("tradebot_ops.facts.metrics.config_files.uses", {ops: uses}.__getitem__)
    monkeypatch.setattr("tradebot_ops.operations.monitoring.contract.contract", contract)
    report = lint.lint(ops)
    assert asked == [(ops, False)], "it needs a stack that runs"
    assert report.ok is not bool(found)
    assert [finding.id for finding in report.findings] == (["alert.runbook", "contract.broken"] if found else [])
    assert whole(report) == snapshot
