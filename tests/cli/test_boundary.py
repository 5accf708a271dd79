"""The boundary: global options anywhere, every end an exit code and a sentence."""

import json
from collections.abc import Callable
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.main import get_command

from tests.cli.conftest import Run
from tradebot_ops.cli.boundary import run_guarded
from tradebot_ops.cli.main import app
from tradebot_ops.cli.naming import announce
from tradebot_ops.cli.words import hoist
from tradebot_ops.errors import OpsError

OPTIONS = {"-p": True, "--project": True, "-f": True, "--file": True, "--json": False, "-v": False, "--timeout": True}


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("up --json -p x", "--json -p x up"),
        ("up --project=x worker", "--project=x up worker"),
        ("logs -f worker", "logs -f worker"),
        ("logs --file c.yaml -f", "--file c.yaml logs -f"),
        ("-f c.yaml logs -f", "-f c.yaml logs -f"),
        ("exec api -- ls --json", "exec api -- ls --json"),
        ("jobs list -p", "jobs list -p"),
        ("up -vv", "-vv up"),
        ("up -px worker", "-px up worker"),
        ("logs -fx", "logs -fx"),
    ],
)
def test_global_options_move_to_the_front(typed: str, expected: str) -> None:
    assert hoist(typed.split(), OPTIONS) == expected.split()


@given(st.lists(st.sampled_from(["up", "-p", "x", "--json", "--project=y", "--", "-v", "--level"])))
def test_hoisting_loses_and_adds_nothing(words: list[str]) -> None:
    assert sorted(hoist(words, OPTIONS)) == sorted(words)


def _raise(error: BaseException) -> Callable[[], NoReturn]:
    def call() -> NoReturn:
        raise error

    return call


def test_an_operator_error_is_a_sentence_a_code_and_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    problem = OpsError("Redis does not answer.", code="TB-0501", hint="tradebot status", detail=("last line",))
    assert run_guarded(_raise(problem), ["status"]) == 5
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "error TB-0501: Redis does not answer.\n  | last line\n  -> tradebot status\n"


def test_an_operator_error_is_one_json_document(capsys: pytest.CaptureFixture[str]) -> None:
    announce(["alerts", "list"])
    assert run_guarded(_raise(OpsError("No.", code="TB-0401")), ["alerts", "list", "--json"]) == 4
    shown = capsys.readouterr()
    assert shown.err == ""
    document = json.loads(shown.out)
    assert document["schema"] == "tradebot/v1/alerts.list"
    assert document["ok"] is False
    assert document["errors"] == [{"code": "TB-0401", "message": "No.", "hint": ""}]


def test_a_bug_shows_no_traceback_unless_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_guarded(_raise(ZeroDivisionError("x")), ["up"]) == 1
    assert "Traceback" not in capsys.readouterr().err
    assert run_guarded(_raise(ZeroDivisionError("x")), ["up", "-vv"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_ctrl_c_is_130() -> None:
    assert run_guarded(_raise(KeyboardInterrupt()), ["up"]) == 130


@pytest.mark.parametrize("words", ["", "-q"])
def test_without_a_command_the_help_or_a_sentence(capsys: pytest.CaptureFixture[str], words: str) -> None:
    assert get_command(app).main(words.split(), standalone_mode=False) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Traceback" not in shown.err
    assert ("Everyday:" if not words else "TB-0200") in shown.err


@pytest.mark.parametrize("words", ["jobs list -o", "-o", "logs --timeout"])
def test_an_option_without_its_value_is_named(capsys: pytest.CaptureFixture[str], words: str) -> None:
    """It stood in front of the command once and took that for its value."""
    assert get_command(app).main(words.split(), standalone_mode=False) == 2
    assert f"The option {words.rsplit(maxsplit=1)[-1]} needs a value." in capsys.readouterr().err


@pytest.mark.parametrize("words", ["", "jobs", "jobs submit", "status"])
def test_help_is_a_word_too(run: Run, words: str) -> None:
    assert str(run("help", *words.split())) == str(run(*words.split(), "--help"))


def test_help_for_what_is_no_command_says_so(run: Run) -> None:
    assert "There is no command 'nothing'." in run("help", "nothing").stderr
