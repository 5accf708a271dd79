"""The unit starts the stack and stops it, knowing nothing else: by its own command lines, and by systemd itself."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.local.conftest import ports
from tests.integration.tradebot import Tradebot
from tests.paths import ROOT
from tests.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("local-boot")]


def values(unit: str, key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", unit, re.MULTILINE)


def as_systemd(tradebot: Tradebot, unit: str, key: str) -> None:
    """Without a shell, with what the unit names and what systemd gives to every unit of a user."""
    words = [word.replace("%%", "%").replace("$$", "$") for word in shlex.split(values(unit, key)[0])]
    given = dict(shlex.split(line)[0].replace("%%", "%").split("=", 1) for line in values(unit, "Environment"))
    done = subprocess.run(
        words,
        cwd=values(unit, "WorkingDirectory")[0].replace("%%", "%"),
        env={"HOME": str(tradebot.home), **given},
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )
    assert done.returncode == 0, done.stderr


def test_started_and_stopped_as_at_boot_and_shutdown(tradebot: Tradebot) -> None:
    unit = tradebot.ok("service", "install", "--print")
    as_systemd(tradebot, unit, "ExecStart")
    assert set(tradebot.states().values()) == {"ready", "done"}
    as_systemd(tradebot, unit, "ExecStop")
    assert tradebot.processes() == []


def test_prod_check_knows_the_unit_and_what_it_lacks(tradebot: Tradebot) -> None:
    wrote = tradebot.json("service", "install")
    unit = Path(wrote["unit"])
    assert unit.read_text() == tradebot.ok("service", "install", "--print")
    checked = tradebot.run("prod-check", "--only", "ENG-13", "--json").stdout
    assert (f"{unit} is not enabled" in checked) is not wrote["enabled"]
    assert tradebot.json("service", "remove")["removed"] is True
    assert not unit.exists()


SYSTEMD = "/lib/systemd/systemd"
#: A manager of a user wants a host that systemd started; what it looks for lies in /run, here one of its own.
MANAGER = """
mount -t tmpfs none /run && mkdir -p /run/systemd/system "$XDG_RUNTIME_DIR" && chmod 700 "$XDG_RUNTIME_DIR" &&
exec %s --user --log-target=null
"""


@pytest.fixture
def managed(tmp_path: Path) -> Iterator[Tradebot]:
    """A project whose user has a manager of systemd, which ends with the test."""
    if os.geteuid() or not Path(SYSTEMD).exists() or not shutil.which("nsenter"):
        pytest.skip("only root can start a manager of systemd, where systemd is installed")
    tradebot = Tradebot(tmp_path / "home", environ=ports() | {"XDG_RUNTIME_DIR": "/run/user/0", "WORKER_REPLICAS": "1"})
    with subprocess.Popen(["unshare", "--mount", "sh", "-c", MANAGER % SYSTEMD], env=tradebot.environment()) as manager:
        inside = ("nsenter", f"--target={manager.pid}", "--mount", f"--wd={ROOT}", "--")
        tradebot.program = (*inside, sys.executable, "-m", "tradebot_ops")
        try:
            until(lambda: manager.poll() is not None or _answers(tradebot), "the manager is there", 30)
            if manager.poll() is not None:
                pytest.skip("this host lets nobody mount, so no manager of systemd starts")
            yield tradebot
            tradebot.clean()
        finally:
            manager.terminate()


def _answers(tradebot: Tradebot) -> bool:
    return systemctl(tradebot, "is-system-running").stdout.strip() in {"running", "degraded"}


def systemctl(tradebot: Tradebot, *words: str) -> subprocess.CompletedProcess[str]:
    inside = tradebot.program[: tradebot.program.index("--") + 1]
    return subprocess.run(
        [*inside, "systemctl", "--user", *words],
        env=tradebot.environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )


def test_systemd_itself_starts_and_stops_it(managed: Tradebot) -> None:
    assert managed.json("service", "install")["enabled"] is True
    unit = f"tradebot-{managed.project}"
    started = systemctl(managed, "start", unit)
    assert started.returncode == 0, started.stderr
    assert set(managed.states().values()) == {"ready", "done"}
    assert "supervisord" in systemctl(managed, "status", unit).stdout, "the stack belongs to the unit"
    assert systemctl(managed, "stop", unit).returncode == 0
    assert managed.processes() == []
    assert managed.json("service", "remove")["removed"] is True
    assert systemctl(managed, "is-enabled", unit).stdout.strip() != "enabled"
