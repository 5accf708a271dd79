"""exec and shell: whose exit code, whose output, and what is said when they cannot."""

import json
from dataclasses import replace

import pytest

from tests.cli.conftest import Run
from tradebot_ops.engines.base import State
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.exec import split


@pytest.mark.parametrize(
    ("words", "number", "command"),
    [
        ("-- ls -l", None, "ls -l"),
        ("2 -- ls", 2, "ls"),
        ("ls -l", None, "ls -l"),
        ("2 ls", 2, "ls"),
        ("-- sh -c -- 1", None, "sh -c -- 1"),
    ],
)
def test_the_replica_and_the_command(words: str, number: int | None, command: str) -> None:
    assert split(words.split()) == (number, tuple(command.split()))


@pytest.mark.parametrize("words", ["", "--", "2", "2 --"])
def test_a_command_is_needed(words: str) -> None:
    with pytest.raises(OpsError) as caught:
        split(words.split())
    assert int(caught.value.exit_code) == 2


def test_output_and_exit_code_are_the_commands_own(run: Run) -> None:
    run("up")
    shown = run("exec", "worker", "--", "fail")
    assert (shown.exit_code, shown.stdout, shown.stderr) == (3, "no luck\n", "")


def test_options_after_the_dashes_belong_to_the_command(run: Run) -> None:
    run("up")
    assert run("exec", "worker", "--", "echo", "--json", "-p", "x").exit_code == 0
    document = json.loads(run("exec", "worker", "--json", "--", "fail").stdout)
    assert document["ok"] is False
    assert document["data"]["exit_code"] == 3


def test_a_shell_needs_a_terminal(run: Run) -> None:
    shown = run("shell", "store")
    assert shown.exit_code == 2
    assert "tradebot -p demo exec store" in shown.stderr


def test_nothing_runs_in_a_paused_replica(run: Run, engine: StubEngine) -> None:
    run("up")
    engine._replicas["store-1"] = replace(engine._replicas["store-1"], state=State.PAUSED)
    shown = run("exec", "store", "--", "echo", "hello")
    assert shown.exit_code == 1
    assert "store is not running." in shown.stderr
