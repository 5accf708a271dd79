"""Old names of commands: they work, and say once what they are called now."""

import pytest

from tests.cli.conftest import Run
from tradebot_ops.cli.boundary import load
from tradebot_ops.cli.registry import COMMANDS, EVERYDAY, OLD_NAMES, Entry


def test_an_old_name_runs_the_new_command_and_names_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMMANDS, "config-show", Entry("", "", EVERYDAY, hidden=True, alias="config show"))
    old, new = run("config-show"), run("config", "show")
    assert (old.exit_code, old.stdout) == (new.exit_code, new.stdout)
    assert old.stderr == "`tradebot config-show` is called `tradebot config show` now.\n"
    assert "config-show" not in run("--help").stdout


def test_an_old_name_passes_words_on(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMMANDS, "more-workers", Entry("", "", EVERYDAY, hidden=True, alias="scale"))
    run("up")
    assert run("more-workers", "workers=3").exit_code == 0
    assert '"tradebot/v1/scale"' in run("more-workers", "nobody=3", "--json").stdout


def test_every_old_name_leads_somewhere() -> None:
    """A name comes alive with its group; then the command it stands for must exist, too."""
    for old in OLD_NAMES.keys() & COMMANDS.keys():
        first, _, rest = COMMANDS[old].alias.partition(" ")
        command = load(first)
        assert not rest or rest in command.commands, f"{old} stands for {COMMANDS[old].alias}"


def test_the_habits_of_make_are_understood(run: Run) -> None:
    run("up")
    assert run("logs", "service=worker").exit_code == 0
    assert "worker: 2 -> 3" in run("scale", "workers=3").stdout
    assert "store-1" in run("restart", "service=store").stdout
