"""What commands show, pinned: exit code, stdout and stderr together. `pytest --snapshot-update` renews them."""

import re
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.cli.conftest import Run

COMMANDS = [
    "--help",
    "up --help",
    "jobs --help",
    "status",
    "up",
    "up --json",
    "up store",
    "down",
    "down --volumes",
    "down --volumes --yes",
    "scale workers 3",
    "scale workers=3",
    "scale workers -1",
    "scale workers 0",
    "scale workers 1000",
    "scale nonsense 3",
    "scale store 2",
    "start",
    "stop",
    "restart",
    "urls",
    "config show",
    "config show --origin",
    "config validate",
    "plan",
    "plan --exit-code",
    "plan store --json",
    "up --plan",
    "drift",
    "drift --exit-code --json",
    "exec worker -- true",
    "exec worker --",
    "exec nobody -- true",
    "shell store",
    "events",
    "build",
    "pull",
    "images --help",
    "images build --from ubuntu",
    "images list",
    "images save x.tar",
    "images load x.tar",
    "prune",
    "diag --help",
    "diag errors",
    "diag errors --since soon",
    "diag net --port 70000",
    "diag diff nothing.tar.gz",
    "kpi",
    "kpi --period soon",
    "attest list",
    "attest team-trained --by maria --note drilled",
    "attest team-trained",
    "attest everything --by maria",
    "waive DAT-09 --reason small --until 2027-03-31 --owner maria",
    "waive DAT-09 --reason small --until 2028-01-01",
    "waive DAT-99 --reason small --until 2027-03-31",
    "waive DAT-09",
    "logs wroker",
    "nonsense",
    "stauts",
    "status --bogus",
    "status --bogus --json",
    "jobs submit backtest fast",
    "dlq replay",
    "dlq purge --all --group 5f1c2a",
    "dlq summary",
    "-p Bad status",
    "-o xml status",
    "--timeout soon status",
]


@pytest.mark.parametrize("words", COMMANDS)
def test_on_a_fresh_project(run: Run, words: str, snapshot: SnapshotAssertion) -> None:
    assert str(run(*words.split())) == snapshot


@pytest.mark.parametrize(
    "words",
    [
        "status",
        "status --json",
        "status -o yaml",
        "status -o plain",
        "up",
        "down",
        "scale workers 4",
        "scale workers 1",
        "scale workers 0",
        "stop worker",
        "start",
        "restart worker",
        "restart worker-2",
        "restart worker 2",
        "restart worker-9",
        "stop worker-1",
        "logs worker-2",
        "logs worker-9",
        "urls",
        "urls --json",
        "config show",
        "plan",
        "plan --exit-code",
        "up --plan --exit-code",
        "drift",
        "drift --exit-code",
        "exec worker -- fail",
        "exec worker 2 -- echo hello",
        "exec worker 2 --json -- echo hello",
        "exec worker --json -- fail",
        "exec worker 7 -- echo hello",
        "exec worker-2 -- echo hello",
        "exec setup -- echo hello",
        "events",
        "events worker --json",
        "prune",
        "restart --rolling",
        "restart --rolling --json",
    ],
)
def test_while_everything_runs(run: Run, words: str, snapshot: SnapshotAssertion) -> None:
    assert run("up").exit_code == 0
    assert str(run(*words.split())) == snapshot


@pytest.mark.parametrize("columns", [80, 200])
def test_status_at_two_widths(run: Run, columns: int, snapshot: SnapshotAssertion) -> None:
    run("up")
    assert str(run("status", columns=columns)) == snapshot


def test_after_scaling_the_settings_say_so_and_up_keeps_it(run: Run, snapshot: SnapshotAssertion) -> None:
    run("up")
    run("scale", "workers", "3")
    assert "Nothing to change" in run("up").stdout
    shown = str(run("config", "show", columns=200))
    assert re.sub(" {2,}", "  ", shown) == snapshot  # the folder of a test is longer some day than another


def test_a_service_that_leaves_the_stack_is_named_and_removed_when_asked(run: Run, snapshot: SnapshotAssertion) -> None:
    run("up")
    compose = Path("compose.yaml")
    compose.write_text(compose.read_text().split("  worker:")[0])
    assert str(run("up")) == snapshot(name="named")
    assert str(run("up", "--remove-orphans")) == snapshot(name="removed")
