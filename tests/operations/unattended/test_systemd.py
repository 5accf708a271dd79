"""What is asked of systemctl, and what its answers mean."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.operations.seen import refusal
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.unattended.systemd import Manager


def fake(folder: Path, state: str = "running", fails: str = "none") -> dict[str, str]:
    """The environment of a shell in which systemctl is a script: it notes what it is asked, and enables as asked."""
    program = folder / "bin" / "systemctl"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"""#!/bin/sh
echo "$*" >> {folder}/asked
case "$*" in
  *{fails}*) echo "Failed to do so" >&2; exit 1;;
  *is-system-running*) echo {state};;
  "--user enable "*) cd {folder}/.config/systemd/user && mkdir -p default.target.wants &&
    ln -sf ../$3 default.target.wants/$3;;
  "--user disable "*) rm -f {folder}/.config/systemd/user/default.target.wants/$3;;
esac
""")
    program.chmod(0o755)
    return {"PATH": f"{program.parent}:{os.environ['PATH']}"}


def asked(folder: Path) -> list[str]:
    return (folder / "asked").read_text().splitlines()


@pytest.mark.parametrize(
    ("state", "runs"), [("running", True), ("degraded", True), ("starting", True), ("offline", False), ("", False)]
)
def test_whether_it_runs(state: str, runs: bool, tmp_path: Path) -> None:
    assert Manager(False, fake(tmp_path, state)).runs() is runs


def test_where_it_is_not_installed_it_does_not_run(tmp_path: Path) -> None:
    assert not Manager(True, {"PATH": str(tmp_path)}).runs()


def test_the_hosts_manager_and_the_users(tmp_path: Path) -> None:
    environ = fake(tmp_path)
    Manager(True, environ).enable("x.service")
    Manager(False, environ).reload()
    assert asked(tmp_path) == ["enable x.service", "--user daemon-reload"]


def test_what_it_refuses_is_said_in_its_words(tmp_path: Path) -> None:
    with pytest.raises(OpsError) as caught:
        Manager(True, fake(tmp_path, fails="enable")).enable("x.service")
    assert (caught.value.code, caught.value.hint) == ("TB-0145", "Type it yourself: systemctl enable x.service")
    assert caught.value.message == "`systemctl enable x.service` failed: Failed to do so."


def test_what_cannot_be_asked_has_failed_with_its_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    calls: list[tuple[list[str], dict[str, Any]]] = []

    def run(command: list[str], **options: Any) -> Any:
        calls.append((command, options))
        raise subprocess.TimeoutExpired(command, 30)

    monkeypatch.setattr(subprocess, "run", run)
    environ = {"PATH": "/bin", "LC_ALL": "de_DE.UTF-8"}
    done = Manager(False, environ)._run("enable", "x.service")
    command = ["systemctl", "--user", "enable", "x.service"]
    assert (done.args, done.returncode, done.stdout) == (command, 1, "")
    assert done.stderr == f"Command '{command}' timed out after 30 seconds"
    ((asked, options),) = calls
    assert asked == command
    assert options == {
        "env": {"PATH": "/bin", "LC_ALL": "C.UTF-8"}, "stdin": subprocess.DEVNULL, "capture_output": True,
        "text": True, "errors": "replace", "timeout": 30, "check": False,
    }  # fmt: skip
    with pytest.raises(OpsError, match="timed out after 30 seconds"):
        Manager(True, environ).disable("x.service")


@pytest.mark.parametrize(
    ("stdout", "stderr", "said", "lines"),
    [
        ("", "", "exit code 3", 0),
        ("out\n", "a\n\n", "out", 2),
        ("", "\n".join(map(str, range(9))), "8", 5),
    ],
)
def test_the_last_of_its_lines_is_the_reason(
    monkeypatch: pytest.MonkeyPatch, stdout: str, stderr: str, said: str, lines: int
) -> None:
    done = subprocess.CompletedProcess([], 3, stdout, stderr)
    monkeypatch.setattr(Manager, "_run", lambda *_: done)
    with pytest.raises(OpsError) as caught:
        Manager(False, {}).reload()
    typed = "systemctl --user daemon-reload"
    assert refusal(caught.value) == ("TB-0145", f"`{typed}` failed: {said}.", f"Type it yourself: {typed}")
    assert len(caught.value.detail) == lines
