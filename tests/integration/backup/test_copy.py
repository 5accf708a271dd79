"""A copy is a backup on another host: restored there from nothing else, it has all that the stack had."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.backup.rig import rows
from tests.integration.local.conftest import ports
from tests.integration.tradebot import Tradebot

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("backup")]


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Tradebot]:
    """Another home, with a project of another name: all that another host has of this one."""
    project = Tradebot(tmp_path / "elsewhere", environ=ports())
    yield project
    project.clean()


def test_a_stack_moves_with_its_copy(running: Tradebot, elsewhere: Tradebot, tmp_path: Path) -> None:
    job = running.ended(running.submit("canary"))
    made = running.json("backup")
    (tmp_path / "usb").mkdir()
    copied = running.json("backup", "copy", "latest", str(tmp_path / "usb"))
    assert copied["files"] == len(list(Path(copied["place"]).iterdir()))
    assert running.json("backup", "show")["copies"][0]["place"] == copied["place"]

    restored = elsewhere.json("backup", "restore", copied["place"], "--from-project", running.project, "--yes")
    assert restored["rows"] == made["rows"]
    assert (job["id"], "succeeded") in rows(elsewhere, "SELECT id::text, state FROM job")
