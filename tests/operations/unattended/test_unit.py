"""The unit as systemd itself reads it."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tradebot_ops.engines.local.observing.boot import Places, starts_at_boot
from tradebot_ops.errors import ExitCode
from tradebot_ops.operations.unattended.unit import HOPELESS, Unit

UNIT = Unit(
    "demo",
    ("/bin/true", "tradebot", "-p", "demo", "up", "--quiet"),
    ("/bin/true", "tradebot", "-p", "demo", "down", "--quiet"),
    Path("/"),
    90.4,
    {"A": "50% of $5", "PATH": "/bin"},
)


def test_stopping_has_the_time_that_services_may_take() -> None:
    assert "TimeoutStopSec=150\n" in UNIT.text()


def test_who_runs_it_and_what_wants_it() -> None:
    mine, system = UNIT.text(), replace(UNIT, user="ana").text()
    assert "WantedBy=default.target\n" in mine
    assert "User=" not in mine
    assert "WantedBy=multi-user.target\n" in system
    assert "User=ana\n" in system


@pytest.mark.parametrize("user", ["", "root"])
def test_systemd_finds_no_fault(user: str, tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd is not installed")
    path = tmp_path / UNIT.name
    path.write_text(replace(UNIT, user=user).text())
    done = subprocess.run(
        [program, "verify", "--man=no", str(path)], capture_output=True, text=True, check=False, timeout=60
    )
    assert [line for line in done.stderr.splitlines() if UNIT.name in line] == []


def test_systemd_notices_a_word_that_it_does_not_know(tmp_path: Path) -> None:
    """Else the test above would prove nothing."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd is not installed")
    path = tmp_path / UNIT.name
    path.write_text(UNIT.text().replace("OOMPolicy=continue", "OOMPolicy=nonsense"))
    done = subprocess.run(
        [program, "verify", "--man=no", str(path)], capture_output=True, text=True, check=False, timeout=60
    )
    assert f"{UNIT.name}:" in done.stderr


def test_once_enabled_by_systemd_it_starts_at_boot(tmp_path: Path) -> None:
    program = shutil.which("systemctl")
    if program is None:
        pytest.skip("systemd is not installed")
    folder = tmp_path / "etc" / "systemd" / "system"
    folder.mkdir(parents=True)
    (folder / UNIT.name).write_text(replace(UNIT, user="root").text())
    where = Places(folder, tmp_path / "user", tmp_path / "linger")
    assert starts_at_boot("demo", where) == (False, f"{folder / UNIT.name} is not enabled")
    subprocess.run([program, f"--root={tmp_path}", "enable", UNIT.name], check=True, capture_output=True, timeout=60)
    assert starts_at_boot("demo", where) == (True, str(folder / UNIT.name))


def test_what_a_second_try_does_not_better_is_not_tried_again() -> None:
    hopeless = (ExitCode.USAGE, ExitCode.CONFIG_INVALID, ExitCode.REFUSED)
    assert hopeless == HOPELESS
    line = f"RestartPreventExitStatus={' '.join(str(int(code)) for code in hopeless)}"
    assert line in UNIT.text().splitlines()
