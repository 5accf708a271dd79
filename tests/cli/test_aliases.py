"""Old names of commands, and words that fingers know from Compose: they work, or the answer names what does."""

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


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("up -d", "up"),
        ("up --wait", "up"),
        ("ps -a", "status"),
        ("ps --all", "status"),
        ("logs -n 5 -t", "logs --tail 5"),
        ("exec -it worker -- echo hello", "exec worker -- echo hello"),
        ("exec -T worker -- echo hello", "exec worker -- echo hello"),
        ("images ls", "images list"),
        ("top", "status --cpu"),
    ],
)
def test_a_habit_does_what_is_meant(run: Run, theirs: str, ours: str) -> None:
    run("up")
    expected, shown = run(*ours.split()), run(*theirs.split())
    assert (shown.exit_code, shown.stdout) == (expected.exit_code, expected.stdout)


def test_one_service_is_looked_at_alone(run: Run) -> None:
    run("up")
    shown = run("status", "worker").stdout
    assert "worker-2" in shown
    assert "store" not in shown


def test_up_with_scale_names_what_scales(run: Run) -> None:
    shown = run("up", "--scale", "worker=4")
    assert shown.exit_code == 2
    assert "tradebot -p demo scale worker=4" in shown.stderr


def test_down_with_v_asks_about_the_data(run: Run) -> None:
    """It is Compose's --volumes, and was taken for --verbose."""
    run("up")
    shown = run("down", "-v")
    assert shown.exit_code == 9
    assert "removes all data" in shown.stderr
    assert run("down", "-vv").exit_code == 0
