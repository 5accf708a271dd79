"""A process of its own is told what this call was told."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tradebot_ops.operations.itself import command
from tradebot_ops.settings import load_settings


def test_the_options_of_this_call_are_read_back_as_they_were(tmp_path: Path) -> None:
    (tmp_path / "own.env").write_text("API_PORT=8110\n")
    flags = {
        "project": "other",
        "engine": "local",
        "env": "staging",
        "timeout": "12.5",
        "files": ["a.yaml", "b.yaml"],
        "profiles": ["core"],
        "env_file": "own.env",
        "quiet": True,
        "no_color": True,
    }
    words = command(load_settings(flags, {}, tmp_path))
    assert words[4:] == [
        *("-p", "other", "--engine", "local", "--env", "staging", "--timeout", "12.5"),
        *("-f", str(tmp_path / "a.yaml"), "-f", str(tmp_path / "b.yaml"), "--profile", "core"),
        *("--env-file", str(tmp_path / "own.env"), "--quiet", "--no-color"),
    ]


def test_what_nobody_said_is_not_said(tmp_path: Path) -> None:
    words = command(load_settings({}, {}, tmp_path))
    assert not {"-f", "--profile", "--env-file", "--quiet", "--no-color"}.intersection(words)


def test_the_program_is_this_python_and_no_folder_that_it_is_called_in(tmp_path: Path) -> None:
    words = command(load_settings({"project": "demo"}, {}, tmp_path))
    assert words == [
        *(sys.executable, "-P", "-m", "tradebot_ops", "-p", "demo"),
        *("--engine", "auto", "--env", "dev", "--timeout", f"{load_settings({}, {}, tmp_path).timeout:g}"),
    ]


@pytest.mark.parametrize(
    ("profiles", "words"), [(["a", "b"], ["--profile", "a", "--profile", "b"]), ([], ["--profile", "core"])]
)
def test_no_profile_is_said_by_the_name_of_the_core(tmp_path: Path, profiles: list[str], words: list[str]) -> None:
    settings = replace(load_settings({}, {}, tmp_path), profiles=tuple(profiles), verbose=2)
    assert command(settings)[12:] == [*words, "--verbose", "--verbose"]
