"""The unit tests of the rules: run once for the same files and tool, and each alert has both kinds."""

import shutil
from pathlib import Path

import pytest

from tests.paths import ROOT
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.facts.alerting import rule_tests
from tradebot_ops.facts.metrics import promtool
from tradebot_ops.settings import load_settings


@pytest.fixture
def here(tmp_path: Path) -> Path:
    for name in ("compose.yaml", "config", "services"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def ops(here: Path) -> Ops:
    environ = {"HOME": str(here), "TRADEBOT_PROFILES": "monitoring"}
    return Ops(load_settings({"project": "demo"}, environ, here), StubEngine("demo"))


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """What promtool will say, run after run; all that are left."""
    will = [True, True, False, True]

    def run(*_: object) -> promtool.Result:
        return promtool.Result(will.pop(0), "SUCCESS")

    monkeypatch.setattr(promtool, "test_rules", run)
    monkeypatch.setattr(promtool, "identity", lambda ops, tool: "promtool 2.42")
    return will


def test_the_same_files_and_tool_are_not_run_again(
    ops: Ops, here: Path, runs: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rule_tests.tested(ops).passed_before == ""
    assert "which passed at 20" in rule_tests.tested(ops).evidence
    assert len(runs) == 3
    with (here / "config/prometheus/rules/redis.yml").open("a") as rule:
        rule.write("# another\n")
    assert rule_tests.tested(ops).passed_before == ""
    monkeypatch.setattr(promtool, "identity", lambda ops, tool: "promtool 3.0")
    assert not rule_tests.tested(ops).ok
    assert rule_tests.tested(ops).ok, "a failure is not remembered"
    assert runs == []


def test_where_nothing_can_be_remembered_they_run_each_time(ops: Ops, here: Path, runs: list[bool]) -> None:
    (here / ".cache").write_text("no folder")
    assert [rule_tests.tested(ops).passed_before, rule_tests.tested(ops).passed_before] == ["", ""]
    assert len(runs) == 2


def test_alerts_without_both_kinds_of_test_are_named(ops: Ops, here: Path, runs: list[bool]) -> None:
    assert rule_tests.tested(ops).untested == ()
    (here / "config/prometheus/tests/redis_test.yml").unlink()
    first, again = rule_tests.tested(ops), rule_tests.tested(ops)
    assert "RedisDown" in first.untested
    assert (again.untested, again.files) == (first.untested, first.files), "what is remembered is the same"
    assert again.passed_before
