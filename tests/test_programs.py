"""Where tests get the programs that they run, and what is said at the end where one cannot be had."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import ROOT
from tests.programs import program
from tradebot_ops.debian import packages


def test_what_is_not_on_path_is_fetched_as_up_does_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("TRADEBOT_PROMTOOL", raising=False)
    monkeypatch.setattr(packages, "obtain", lambda name, _environ, _say: tmp_path / "cache" / name)
    assert program("promtool") == str(tmp_path / "cache/promtool")


@pytest.mark.parametrize(("ci", "outcome"), [("true", "failed"), ("", "skipped")])
def test_what_is_missing_is_named_once_with_the_step_that_installs_it(ci: str, outcome: str, tmp_path: Path) -> None:
    environ = os.environ | {"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "CI": ci}
    command = [sys.executable, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider", "tests/config/test_alertmanager.py"]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert outcome in done.stdout.splitlines()[-1]
    said = done.stdout.partition("missing on this machine")[2]
    assert [said.count("has no apt-get"), said.count(".ci/run")] == [int(bool(ci))] * 2, done.stdout[-2000:]
