"""diag: a command a topic, and exit code 1 when something is wrong."""

import json

import pytest

from tests.cli.conftest import Run
from tradebot_ops.diagnostics.catalogue import catalogue


def test_each_topic_is_a_command(run: Run) -> None:
    shown = run("diag", "--help").stdout
    assert [topic.name for topic in catalogue() if f"  {topic.name} " not in shown] == []


@pytest.mark.parametrize(
    ("name", "verdict"),
    [("full", "Nothing of the stack runs. (supported)"), ("containers", "3 problems, worst first: ")],
)
def test_nothing_runs(run: Run, name: str, verdict: str) -> None:
    done = run("diag", name, "--json")
    document = json.loads(done.stdout)
    assert (done.exit_code, document["schema"]) == (1, f"tradebot/v1/diag.{name}")
    assert document["data"]["verdict"].startswith(verdict)
    assert document["errors"][0]["code"] == "diag.containers"
