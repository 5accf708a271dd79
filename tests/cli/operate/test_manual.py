"""The manual page holds every command, and is what `man` can read."""

import os
import re
import shutil
import subprocess

import pytest
from typer.main import get_command

from tests.cli.conftest import Run
from tests.cli.tree import leaves
from tradebot_ops.cli.main import app
from tradebot_ops.cli.operate.manual import page
from tradebot_ops.cli.registry import COMMANDS

PAGE = page(get_command(app), "1.2.3", {"0": "done", "9": "refused by a guard"})


def test_every_command_and_option_is_in_it() -> None:
    for path, command in leaves():
        if COMMANDS[path[0]].hidden or command.hidden:
            continue
        heading = f".SS tradebot {' '.join(path)}".replace("-", r"\-")
        (section,) = re.findall(rf"^{re.escape(heading)} \[OPTIONS\].*?(?=^\.S[SH] )", PAGE, re.MULTILINE | re.DOTALL)
        for each in command.params:
            if each.param_type_name == "option" and not each.hidden:
                assert each.opts[0].replace("-", r"\-") in section, path


def test_what_is_hidden_is_not() -> None:
    assert "completion refresh" not in PAGE
    assert "monitoring\\-setup" not in PAGE


def test_no_line_of_text_is_taken_for_a_macro() -> None:
    macros = {"TH", "SH", "SS", "TP", "B", "PP", "nf", "fi"}
    assert {line[1:].partition(" ")[0] for line in PAGE.splitlines() if line[:1] in {".", "'"}} == macros


def test_the_command_writes_it(run: Run) -> None:
    shown = run("man")
    assert shown.exit_code == 0
    assert shown.stdout.startswith(".TH TRADEBOT 1 ")
    assert r"refused by a guard" in shown.stdout


def test_the_formatter_has_nothing_against_it() -> None:
    groff = shutil.which("groff")
    if groff is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("groff is not installed")
    done = subprocess.run([groff, "-man", "-ww", "-Tutf8", "-z"], input=PAGE, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    shown = subprocess.run([groff, "-man", "-Tutf8", "-P-cbou"], input=PAGE, capture_output=True, text=True, check=True)
    assert "--follow" in shown.stdout
    assert "tradebot jobs submit backtest symbol=AAPL" in shown.stdout
