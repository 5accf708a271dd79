"""The month's list on a stack that runs: a restore is rehearsed once somebody agreed, and found when it fails."""

import json
from typing import Any

import pytest

from tests.integration.backup.rig import rows, shelf
from tests.integration.tradebot import Tradebot

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("backup")]


def recovery(tradebot: Tradebot, *words: str) -> dict[str, dict[str, Any]]:
    """Of the item that tests recovery: each thing that was seen, by its id."""
    done = tradebot.run("routine", "monthly", "--json", *words)
    assert done.returncode in {0, 1}, done.stderr
    items = json.loads(done.stdout)["data"]["items"]
    (item,) = [each for each in items if each["title"] == "Test disaster recovery"]
    return {each["id"]: each for each in item["seen"]}


def test_a_restore_is_rehearsed(running: Tradebot) -> None:
    made = running.json("backup", "create")
    seen = recovery(running)
    assert seen["TB-0929"]["level"] == "skip"
    assert running.json("backup", "show")["restored_at"] is None

    seen = recovery(running, "--yes")
    assert seen["backup"]["level"] == "pass"
    assert f"Backup {made['id']} restores" in seen["backup"]["message"]
    assert running.json("backup", "show")["restored_at"]
    assert rows(running, "SELECT datname FROM pg_database WHERE datname LIKE '%verify%'") == []

    dump = shelf(running) / made["id"] / "postgres.dump"
    dump.write_bytes(dump.read_bytes()[:-1])
    assert recovery(running, "--yes")["TB-0132"]["level"] == "fail"
