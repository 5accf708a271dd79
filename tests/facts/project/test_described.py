"""Whether the description can be read, and what differs from it."""

import shutil
from pathlib import Path

import pytest

from tests.paths import ROOT
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Replica, State
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.facts.fact import NotHere, Skip, Unknown
from tradebot_ops.facts.metrics.prometheus import Loaded
from tradebot_ops.facts.project import described
from tradebot_ops.settings import load_settings

NO_MONITORING = (NotHere(Skip.PROFILE, "Not chosen."),) * 2


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    shutil.copy(ROOT / "compose.yaml", tmp_path)
    shutil.copytree(ROOT / "config", tmp_path / "config")
    shutil.copytree(ROOT / "services", tmp_path / "services", ignore=shutil.ignore_patterns("*cache*"))
    environ = {"TRADEBOT_STATE": str(tmp_path / "state"), "TRADEBOT_PROFILES": "core"}
    return Ops(load_settings({}, environ, tmp_path), StubEngine("demo"))


def test_a_whole_description(ops: Ops) -> None:
    found = described.reading(ops)
    assert (found.problems, found.services) == ((), 5)


def test_a_missing_file_is_told_with_its_line(ops: Ops) -> None:
    shutil.rmtree(ops.settings.cwd / "config" / "grafana" / "dashboards")
    found = described.reading(ops)
    assert "which does not exist" in found.problems[0]
    file, _, line = found.anchor.partition(":")
    text = (ops.settings.cwd / file).read_text().splitlines()[int(line) - 1]
    assert "dashboards" in text


def test_a_folder_where_a_file_belongs(ops: Ops) -> None:
    (ops.settings.cwd / "rules.yml").mkdir()
    compose = ops.settings.cwd / "compose.yaml"
    compose.write_text(
        compose.read_text().replace('"redis-data:/data"', '"redis-data:/data", "./rules.yml:/x/rules.yml:ro"')
    )
    (problem,) = described.reading(ops).problems
    assert problem.startswith("redis mounts")


def test_differences_of_replicas(ops: Ops) -> None:
    api, worker = ops.stack.services["api"], ops.stack.services["worker"]
    same = Replica("api", 1, "a", "a", State.RUNNING, spec_hash=api.spec_hash, content_hash=api.content_hash)
    edited = Replica("api", 2, "b", "b", State.RUNNING, spec_hash=api.spec_hash, content_hash="other")
    other = Replica("worker", 1, "c", "c", State.RUNNING, spec_hash="other", content_hash=worker.content_hash)
    found = described.drift(ops, (same, edited, other), *NO_MONITORING)
    assert (found.description, found.contents, found.replicas) == (("worker-1",), ("api-2",), 3)
    assert (found.loaded, found.unseen) == ((), ())


def test_monitoring_that_cannot_be_asked_is_named(ops: Ops, tmp_path: Path) -> None:
    environ = {"TRADEBOT_STATE": str(tmp_path / "state"), "TRADEBOT_PROFILES": "monitoring"}
    monitored = Ops(load_settings({}, environ, tmp_path), StubEngine("demo"))
    found = described.drift(monitored, (), Unknown("It hangs."), Loaded("alertmanager.yml", ("route",)))
    assert (found.unseen, found.loaded) == (("prometheus: It hangs.",), ("alertmanager: route",))
