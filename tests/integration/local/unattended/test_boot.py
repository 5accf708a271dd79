"""The unit's own command lines, run as systemd runs them: they start the stack and stop it, knowing nothing else."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.integration.tradebot import Tradebot

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
