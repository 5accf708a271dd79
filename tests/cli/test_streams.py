"""Standard streams that are full, closed or left: a sentence, never a traceback."""

import subprocess
import sys

import pytest

COMMANDS = ("--help", "--version", "version", "version --json", "help up", "nonsense --json")


@pytest.mark.parametrize("words", COMMANDS)
@pytest.mark.parametrize("where", [">/dev/full", ">&-"])
def test_output_that_cannot_be_written(words: str, where: str) -> None:
    done = _shell(f"{words} {where}")
    assert (done.returncode, "TB-0122" in done.stderr) == (1, True), done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.parametrize("words", ["--version", "nonsense", "version --json"])
def test_errors_that_nobody_hears(words: str) -> None:
    assert _shell(f"{words} 2>&-").returncode in {0, 2}


def test_a_reader_that_left() -> None:
    done = _shell("--help | true")
    assert (done.returncode, done.stderr) == (0, "")


def _shell(line: str) -> "subprocess.CompletedProcess[str]":
    command = f"{sys.executable} -m tradebot_ops {line}"
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=False)
