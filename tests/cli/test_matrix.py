"""The newcomer's matrix with nothing running: every command, typed rightly and wrongly, narrow, wide and as JSON."""

import json
import re

import pytest

from tests.cli.conftest import Run, Shown
from tests.cli.test_naming import ENDLESS, STREAMS, WORDS
from tests.cli.tree import dotted, leaves
from tests.repository.empty_times import EMPTY

#: `ci run` starts commands in processes of their own, on streams that are real: tests/integration/local/test_ci.py.
ELSEWHERE = ENDLESS | {"ci.run"}
PATHS = [path for path, _ in leaves() if dotted(path) not in ELSEWHERE]
#: A sentence may begin with the name of a service or a program, which is written small wherever it stands.
NAMES = re.compile(r"(?:api|store|setup|worker|prometheus|promtool)\b")
#: Other programs' English, and signs that something broke.
FOREIGN = re.compile(r"Traceback|TB-0199|Input should be|No such (?:option|command)|unexpected extra|Missing argument")
SENTENCE = re.compile(r"(?:error|warning|failed)? ?TB-\d{4}: (?P<text>.+)")


def _is_well_said(shown: Shown) -> None:
    everything = shown.stdout + shown.stderr
    assert not FOREIGN.search(everything), everything
    assert shown.exit_code in {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
    for found in SENTENCE.finditer(shown.stderr):
        text = found["text"].strip()
        assert NAMES.match(text) or text[:1].upper() == text[:1], text
        parts = [part for part in re.split(r"(?<=[.?]) ", text) if len(part) > 20]
        assert len(parts) == len(set(parts)), f"twice: {text}"


def _call(run: Run, path: list[str], *more: str, columns: int = 80) -> Shown:
    words = WORDS.get(dotted(path), [])
    cut = words.index("--") if "--" in words else len(words)
    return run(*path, *words[:cut], *more, *words[cut:], columns=columns)


@pytest.mark.parametrize("path", PATHS, ids=dotted)
def test_a_call_on_a_terminal_of_either_width(run: Run, path: list[str]) -> None:
    for columns in (80, 200):
        _is_well_said(_call(run, path, columns=columns))


@pytest.mark.parametrize("path", PATHS, ids=dotted)
def test_a_call_for_a_program(run: Run, path: list[str]) -> None:
    shown = _call(run, path, "--json")
    _is_well_said(shown)
    assert not EMPTY.search(shown.stdout), shown.stdout
    if dotted(path) not in STREAMS:
        assert json.loads(shown.stdout)["schema"] == f"tradebot/v1/{dotted(path)}"


@pytest.mark.parametrize("path", PATHS, ids=dotted)
def test_a_word_that_is_wrong(run: Run, path: list[str]) -> None:
    shown = run(*path, "--nonsense", "nonsense", "-vq")
    _is_well_said(shown)
    assert shown.exit_code == 2
    assert "-> " in shown.stderr
