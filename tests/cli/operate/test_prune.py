"""prune: only what is left over, and only when asked."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tradebot_ops.engines.stub import StubEngine


@pytest.fixture
def orphaned(run: Run, engine: StubEngine) -> StubEngine:
    """A stack whose workers were removed from the description."""
    run("up")
    compose = Path("compose.yaml")
    compose.write_text(compose.read_text().split("  worker:")[0])
    engine.recording.clear()
    return engine


def test_nothing_is_removed_without_consent(run: Run, orphaned: StubEngine) -> None:
    shown = run("prune")
    assert shown.exit_code == 9
    assert "replica worker-1: its service is not in the stack any more and still runs" in shown.stderr
    assert orphaned.recording == []


def test_only_what_is_left_over_goes(run: Run, orphaned: StubEngine) -> None:
    removed = json.loads(run("prune", "--yes", "--json").stdout)["data"]["removed"]
    assert [each["name"] for each in removed] == ["worker-1", "worker-2"]
    assert {found.service for found in orphaned.list()} == {"store", "setup"}
    assert "Nothing is left over." in run("prune").stdout


def test_a_service_that_waits_for_its_profile_is_not_left_over(run: Run, orphaned: StubEngine) -> None:
    compose = Path("compose.yaml")
    compose.write_text(f'{compose.read_text()}  worker: {{image: "worker:1", command: [work], profiles: [later]}}\n')
    assert "Nothing is left over." in run("prune").stdout
