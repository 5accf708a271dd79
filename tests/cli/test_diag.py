"""diag: a command a topic, and exit code 1 when something is wrong."""

import json

import pytest

from tests.cli.conftest import Run
from tradebot_ops.diagnostics.catalogue import catalogue


def test_each_topic_is_a_command(run: Run) -> None:
    shown = run("diag", "--help").stdout
    assert [topic.name for topic in catalogue() if f"  {topic.name} " not in shown] == []


@pytest.mark.parametrize("name", ["full", "containers"])
def test_nothing_runs(run: Run, name: str) -> None:
    done = run("diag", name, "--json")
    document = json.loads(done.stdout)
    assert (done.exit_code, document["schema"]) == (1, f"tradebot/v1/diag.{name}")
    assert "lacks" in document["data"]["verdict"]
    assert document["errors"][0]["code"] == "diag.containers"
