"""The commands that are remembered: as Typer has them, until the code changes."""

import json
from pathlib import Path

import pytest

from tradebot_ops.cli.completion import read
from tradebot_ops.cli.completion.shape import Command
from tradebot_ops.cli.completion.tree import Tree
from tradebot_ops.cli.registry import COMMANDS


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the commands that were read from Typer."""
    names: list[str] = []
    real = read.command

    def command(name: str) -> Command:
        names.append(name)
        return real(name)

    monkeypatch.setattr(read, "command", command)
    return names


def test_what_is_kept_is_what_was_read(tmp_path: Path) -> None:
    for name, entry in COMMANDS.items():
        if not entry.alias:
            assert Tree(tmp_path).named(name) == Tree(tmp_path).named(name) == Tree(None).named(name)
    assert Tree(tmp_path).root == Tree(tmp_path).root == Tree(None).root


def test_each_is_read_once(tmp_path: Path, reads: list[str]) -> None:
    for _ in range(2):
        tree = Tree(tmp_path)
        assert (tree.root.parameters, tree.named("jobs"), tree.named("alerts-list")) != ((), None, None)
    assert reads == ["", "jobs", "alerts"]


@pytest.mark.parametrize("kept", ["", "[]", "{}", '{"code": [], "command": {}}', '{"code": 1, "command": null}'])
def test_what_other_code_kept_is_read_anew(tmp_path: Path, reads: list[str], kept: str) -> None:
    Tree(tmp_path).named("jobs")
    (file,) = tmp_path.iterdir()
    whole = json.loads(file.read_text())
    file.write_text(kept)
    assert Tree(tmp_path).named("jobs") == Tree(None).named("jobs")
    assert json.loads(file.read_text()) == whole
    file.write_text(json.dumps(whole | {"code": ["0.0.1", *whole["code"][1:]]}))
    Tree(tmp_path).named("jobs")
    assert reads == ["jobs"] * 4


def test_where_nothing_can_be_kept_all_is_read(tmp_path: Path, reads: list[str]) -> None:
    (tmp_path / "file").touch()
    for _ in range(2):
        assert Tree(tmp_path / "file").named("jobs") is not None
    assert reads == ["jobs"] * 2
