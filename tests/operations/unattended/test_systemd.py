"""What is asked of systemctl, and what its answers mean."""

import os
from pathlib import Path

import pytest

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
