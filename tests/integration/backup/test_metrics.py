"""Metrics of backups: never one that cannot be read, and a clearing that failed until one works."""

import re

import httpx
import pytest

from tests.integration.backup.rig import ops_of, rows
from tests.integration.tradebot import Tradebot
from tests.waiting import until
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.backup import create, prune

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("backup")]


def shown(tradebot: Tradebot) -> dict[str, float]:
    address = ops_of(tradebot).engine.endpoint("api", 8010)
    text = httpx.get(f"http://{address}/metrics", timeout=30).text
    return {name: float(value) for name, value in re.findall(r'^backup_(\w+)\{environment="dev"\} (\S+)$', text, re.M)}


def becomes(tradebot: Tradebot, **expected: float) -> None:
    """The API asks the database at most every five seconds."""
    until(lambda: expected.items() <= shown(tradebot).items(), f"the metrics are {expected}", 60)


def test_metrics_know_only_backups_that_can_be_read(running: Tradebot) -> None:
    first, second = (running.json("backup")["id"] for _ in range(2))
    folder = ops_of(running).settings.backups / running.project
    taken = {each.id: each.at.timestamp() for each in create.shelf_of(ops_of(running)).all()}
    becomes(running, last_taken_timestamp_seconds=taken[second], last_proved_timestamp_seconds=0, clearing_failed=0)
    becomes(running, last_refuted_timestamp_seconds=0)
    running.ok("backup", "verify", first)
    (proof,) = rows(running, "SELECT extract(epoch FROM at)::float8 FROM backup_note WHERE what = 'proved'")
    becomes(running, last_taken_timestamp_seconds=taken[second], last_proved_timestamp_seconds=proof[0])
    with (folder / second / "postgres.dump").open("ab") as dump:
        dump.write(b"x")
    assert running.run("backup", "verify", second).returncode == 1
    becomes(running, last_taken_timestamp_seconds=taken[first], last_proved_timestamp_seconds=proof[0])
    until(lambda: shown(running)["last_refuted_timestamp_seconds"] > proof[0], "the failed verification is shown", 60)
    running.ok("backup", "verify", first)
    until(
        lambda: (now := shown(running))["last_proved_timestamp_seconds"] > now["last_refuted_timestamp_seconds"],
        "what was proved since ends the alert",
        60,
    )
    listed = running.run("backup", "list")
    assert (listed.returncode, f"{second} failed: The backup {second} is damaged" in listed.stdout) == (1, True)


def test_a_clearing_that_fails_is_shown_until_one_works(running: Tradebot, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> tuple[str, ...]:
        raise OpsError("The disk is read-only.", code="TB-0802")

    ops = ops_of(running)
    with monkeypatch.context() as patch:
        patch.setattr(prune, "clear", fails)
        with pytest.raises(OpsError) as caught:
            create.create(ops, lambda _: None, keep=1)
    (made,) = create.shelf_of(ops).all()
    assert caught.value.detail == (f"The backup {made.id} is whole; older ones could not be cleared away.",)
    becomes(running, last_taken_timestamp_seconds=made.at.timestamp(), clearing_failed=1)
    running.ok("backup", "create", "--keep", "1")
    becomes(running, clearing_failed=0)


def test_without_the_table_the_backup_is_made_all_the_same(running: Tradebot) -> None:
    """Such as right after an upgrade of the commands alone."""
    rows(running, "ALTER TABLE backup_note RENAME TO backup_note_away")
    try:
        assert running.json("backup")["id"]
    finally:
        rows(running, "ALTER TABLE backup_note_away RENAME TO backup_note")
