"""Who may read settings files, and what a real repository makes of them."""

import subprocess
from pathlib import Path

import pytest

from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.facts.access import env_files
from tradebot_ops.settings import load_settings


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    return Ops(load_settings({}, {"TRADEBOT_STATE": str(tmp_path / "state")}, tmp_path), StubEngine("demo"))


def test_modes_are_seen_and_examples_left_out(ops: Ops, tmp_path: Path) -> None:
    for name, mode in ((".env", 0o644), (".env.production", 0o600), (".env.production.example", 0o644)):
        (tmp_path / name).write_text("LOG_LEVEL=info\n")
        (tmp_path / name).chmod(mode)
    found = env_files.kept(ops)
    assert [(each.name, each.mode, each.ours, each.tracked) for each in found.files] == [
        (".env", 0o644, True, False),
        (".env.production", 0o600, True, False),
    ]
    assert found.secrets_mode is None
    ops.state.write("secrets/api_key", "x")
    assert env_files.kept(ops).secrets_mode == 0o700


def test_a_repository_that_keeps_one_and_ignores_another(ops: Ops, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text(".env.production\n")
    for name in (".env", ".env.production"):
        (tmp_path / name).write_text("LOG_LEVEL=info\n")
    subprocess.run(["git", "-C", str(tmp_path), "add", ".env"], check=True)
    assert [(each.name, each.tracked, each.ignored) for each in env_files.kept(ops).files] == [
        (".env", True, False),
        (".env.production", False, True),
    ]
