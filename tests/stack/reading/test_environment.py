"""A service's environment: which file and which key wins, and what is said of a file that cannot be read."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.stack.reading.kit import Told, fields, read
from tradebot_ops.stack.reading.environment import read_environment
from tradebot_ops.stack.reading.mounts import Paths


def environment(folder: Path, keys: str, environ: Mapping[str, str]) -> tuple[dict[str, str], list[Told]]:
    return read(
        f"it: {{{keys}}}\n",
        lambda reader, item: read_environment(reader, fields(item), environ, Paths(folder, "")),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "one.env").write_text("A=one\nB=${A}-${C}\nD\nE=e\n", encoding="utf-8")
    (tmp_path / "two.env").write_text("\N{BYTE ORDER MARK}A=two\nF=${A}-${B}\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("keys", "environ", "expected"),
    [
        ("image: a", {"A": "shell"}, {}),
        ("environment: {A: 1, B: , C: }", {"B": "shell"}, {"A": "1", "B": "shell"}),
        ("environment: [A=1, B, 'C=']", {"A": "shell", "B": "shell"}, {"A": "1", "B": "shell", "C": ""}),
        ("env_file: one.env", {"C": "shell"}, {"A": "one", "B": "one-shell", "E": "e"}),
        ("env_file: [one.env]", {"C": "shell", "D": "d"}, {"A": "one", "B": "one-shell", "D": "d", "E": "e"}),
        ("env_file: {path: one.env}", {"C": "shell"}, {"A": "one", "B": "one-shell", "E": "e"}),
        (
            "env_file: [{path: one.env, required: true}], environment: {C: own, E: }",
            {},
            {"A": "one", "B": "one-own", "C": "own"},
        ),
        ("env_file: one.env, environment: {C: own, E: }", {"C": "shell"}, {"A": "one", "B": "one-shell", "C": "own"}),
        (
            "env_file: [one.env, two.env], environment: {E: own}",
            {"C": "c"},
            {"A": "two", "B": "one-c", "E": "own", "F": "two-one-c"},
        ),
        ("env_file: [{path: gone.env, required: false}], environment: {A: 1}", {}, {"A": "1"}),
    ],
)  # fmt: skip
def test_which_value_wins(folder: Path, keys: str, environ: dict[str, str], expected: dict[str, str]) -> None:
    assert environment(folder, keys, environ) == (expected, [])


def test_a_file_that_cannot_be_read_is_said_in_full_and_the_rest_is_read(folder: Path) -> None:
    (folder / "bad.env").write_bytes(b"A=\xff\n")
    own = "environment: {A: 1}"

    def told(keys: str) -> Told:
        found, (problem,) = environment(folder, f"{keys}, {own}", {})
        assert found == {"A": "1"}
        return problem

    gone = f"names {folder}/gone.env, which does not exist"
    assert told("env_file: gone.env") == ("TB-0816", "1: it.env_file", gone, "Create it.")
    assert told("env_file: [{path: gone.env}]") == ("TB-0816", "1: it.env_file[0]", gone, "Create it.")
    assert told("env_file: [{required: false}]") == (
        "TB-0815",
        "1: it.env_file[0]",
        "has no `path`",
        "Add a `path:` line.",
    )
    assert told("env_file: [{path: gone.env, required: false, format: raw}]")[:2] == (
        "TB-0813",
        "1: it.env_file[0].format",
    )
    why = "'utf-8' codec can't decode byte 0xff in position 2: invalid start byte"
    unread = f"names {folder}/bad.env, which cannot be read: {why}"
    assert told("env_file: bad.env") == ("TB-0816", "1: it.env_file", unread, "")
    folder_instead = f"names {folder}, which cannot be read: [Errno 21] {os.strerror(21)}: '{folder}'"
    assert told("env_file: .") == ("TB-0816", "1: it.env_file", folder_instead, "")


def test_a_broken_line_is_named_with_its_file_and_the_others_are_read(folder: Path) -> None:
    (folder / "broken.env").write_text("A=1\nno setting\nB=${NOPE}\nC=2\n", encoding="utf-8")
    found, told = environment(folder, "env_file: broken.env", {})
    assert found == {"A": "1", "C": "2"}
    assert [problem[:2] for problem in told] == [("TB-0811", "2: "), ("TB-0814", "3: B")]
    assert "NOPE" in told[1][2]
    assert all(problem[3] for problem in told)
