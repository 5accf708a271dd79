"""Help and complaints of every command, in one voice."""

import re
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.cli.tree import dotted, leaves
from tradebot_ops.cli.boundary import load
from tradebot_ops.cli.help import sentence
from tradebot_ops.cli.registry import COMMANDS

LEAVES = leaves()
#: A type is no name of a thing: `--limit <int range>`.
UNNAMED = re.compile(r"<[a-z\[\] ]+>|\bINTEGER\b|\bFLOAT\b")


@pytest.mark.parametrize(("path", "command"), LEAVES, ids=[dotted(path) for path, _ in LEAVES])
@pytest.mark.parametrize("columns", [80, 200])
def test_values_are_named_and_there_is_an_example(run: Run, path: list[str], command: Any, columns: int) -> None:
    shown = run(*path, "--help", columns=columns)
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert not UNNAMED.search(shown.stdout), shown.stdout
    assert re.search(r"Examples?:\n +(?:\S+=\S+ )*tradebot ", shown.stdout), shown.stdout


@pytest.mark.parametrize("name", [name for name, entry in COMMANDS.items() if not entry.alias])
def test_no_summary_is_cut(run: Run, name: str) -> None:
    assert "..." not in re.sub(r"\S\.\.\.", "", run(name, "--help").stdout.replace("[ARGS]...", ""))
    for each in getattr(load(name), "commands", {}).values():
        assert each.get_short_help_str().endswith("."), each.name


def test_variables_of_the_environment_are_named(run: Run) -> None:
    shown = run("--help").stdout
    assert "TRADEBOT_PROJECT" in shown
    assert "<" not in shown


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Invalid value for '--limit': Input should be greater than or equal to 1",
         "The value of --limit cannot be used: the least is 1."),
        ("Invalid value for '--limit': Input should be a valid integer, unable to parse string as an integer",
         "The value of --limit cannot be used: it is no whole number."),
        ("Got unexpected extra argument(s) (x y)", "There is no place for 'x y'."),
        ("Got unexpected extra argument (x)", "There is no place for 'x'."),
        ("Missing argument 'ALERT'.", "ALERT is missing."),
        ("No such option: --bogus", "There is no option '--bogus' here."),
        ("No such option: --jsn (Possible options: --json)", "There is no option '--jsn' here."),
        ("No such command 'stauts'. Did you mean 'status'?", "There is no command 'stauts'. Did you mean 'status'?"),
        ("Option '--tail' requires an argument.", "The option --tail needs a value."),
        ("Option '--json' does not take a value.", "The option --json takes no value."),
        ("Missing command.", "Missing command."),
    ],
)  # fmt: skip
def test_the_parser_s_complaints_are_our_sentences(words: str, expected: str) -> None:
    assert sentence(words) == expected


@pytest.mark.parametrize("words", [("jobs", "submit", "backtest", "--help"), ("help", "jobs", "submit", "backtest")])
def test_help_with_a_job_s_type_lists_its_parameters(run: Run, words: tuple[str, ...]) -> None:
    shown = run(*words, columns=200)
    assert shown.exit_code == 0
    assert re.search(r"^cash +number, above 0 .* 10000\.0 +money at the start", shown.stdout, re.MULTILINE)
    assert "Parameters of backtest" not in run("jobs", "submit", "--help").stdout


def test_help_with_an_unknown_type_is_one_sentence(run: Run) -> None:
    shown = run("jobs", "submit", "backtset", "--help")
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert "Did you mean `backtest`?" in shown.stderr
