"""`completion install` and `show`, and that each shell can use what they write."""

import contextlib
import os
import pty
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.paths import ROOT
from tests.waiting import until

FILES = {
    "bash": (".local/share/tradebot/completion.bash", ".bashrc"),
    "zsh": (".local/share/tradebot/completion.zsh", ".zshrc"),
    "fish": (".config/fish/completions/tradebot.fish",),
}
#: A person's own shell, without what the system adds.
INTERACTIVE = {"bash": ["--noprofile", "-i"], "zsh": ["-d", "-i"], "fish": ["-i"]}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "ZDOTDIR"):
        monkeypatch.delenv(name, raising=False)
    return home


@pytest.mark.parametrize("shell", FILES)
def test_installing_twice_writes_once(run: Run, home: Path, shell: str) -> None:
    if shell != "fish":
        (home / FILES[shell][1]).write_text("# no line end here")
    first = run("completion", "install", shell)
    assert first.exit_code == 0
    before = {name: (home / name).read_text() for name in FILES[shell]}
    again = run("completion", "install", shell)
    assert "Wrote" not in again.stdout
    assert "Added" not in again.stdout
    assert {name: (home / name).read_text() for name in FILES[shell]} == before
    if shell != "fish":
        assert before[FILES[shell][1]].startswith("# no line end here\n[ ! -r ")
    assert "To undo it: rm " in first.stdout


def test_the_shell_is_that_of_the_person(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/usr/bin/fish")
    assert run("completion", "install").exit_code == 0
    assert (home / FILES["fish"][0]).is_file()


def test_an_unknown_shell_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = run("completion", "show", "tcsh")
    assert shown.exit_code == 2
    assert "TB-0223" in shown.stderr
    assert "bash, zsh, fish" in shown.stderr
    monkeypatch.delenv("SHELL", raising=False)
    assert "SHELL" in run("completion", "install").stderr


@pytest.mark.parametrize("shell", FILES)
def test_what_is_shown_is_what_is_installed(run: Run, home: Path, shell: str) -> None:
    run("completion", "install", shell)
    assert run("completion", "show", shell).stdout == (home / FILES[shell][0]).read_text()


class Shell:
    """A shell on a terminal of its own."""

    def __init__(self, command: list[str], environ: dict[str, str]) -> None:
        self._handle, theirs = pty.openpty()
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *command], env=environ, stdin=theirs, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        os.set_blocking(self._handle, False)
        self.seen = ""

    def type(self, text: str) -> None:
        os.write(self._handle, text.encode())

    def shows(self, text: str) -> None:
        until(lambda: text in self._read(), f"{text!r} on the terminal", 30, lambda: repr(self.seen))

    def _read(self) -> str:
        with contextlib.suppress(BlockingIOError):  # nothing new
            self.seen += os.read(self._handle, 65536).decode(errors="replace")
        return self.seen

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._handle)


@pytest.fixture(params=FILES)
def shell(request: pytest.FixtureRequest, run: Run, home: Path, tmp_path: Path) -> Iterator[Shell]:
    name: str = request.param
    path = shutil.which(name)
    if path is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{name} is not installed")
    run("completion", "install", name)
    program = tmp_path / "bin" / "tradebot"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m tradebot_ops "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    environ = {
        "HOME": str(home),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "TERM": "xterm",
        "PS1": "ready> ",
    }
    found = Shell([path, *INTERACTIVE[name]], environ)
    yield found
    found.close()


def test_the_tab_key_completes(shell: Shell) -> None:
    """One candidate is put in, so the command is run as if it had been typed."""
    shell.type("tradebot comple\tsho\tfis\t| head -n 1\n")
    shell.shows("# Completion of tradebot for fish")
