"""The boundary: global options anywhere, every end an exit code and a sentence."""

import json
from collections.abc import Callable
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradebot_ops.cli.boundary import hoist, run_guarded
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
        ("jobs list -p", "-p jobs list"),
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
    assert run_guarded(_raise(OpsError("No.", code="TB-0401")), ["status", "--json"]) == 4
    shown = capsys.readouterr()
    assert shown.err == ""
    document = json.loads(shown.out)
    assert document["schema"] == "tradebot/v1/status"
    assert document["ok"] is False
    assert document["errors"] == [{"code": "TB-0401", "message": "No.", "hint": ""}]


def test_a_bug_shows_no_traceback_unless_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_guarded(_raise(ZeroDivisionError("x")), ["up"]) == 1
    assert "Traceback" not in capsys.readouterr().err
    assert run_guarded(_raise(ZeroDivisionError("x")), ["up", "-vv"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_ctrl_c_is_130() -> None:
    assert run_guarded(_raise(KeyboardInterrupt()), ["up"]) == 130
