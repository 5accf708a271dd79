"""Every way in which a backup fails silently elsewhere is caught here, in words that name it, on the real tools."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from tests.integration.backup.rig import (
    backups,
    connect,
    drafts,
    drop_large,
    edited,
    make_large,
    ops_of,
    rewrite,
    rows,
    shelf,
)
from tests.integration.tradebot import Tradebot
from tests.waiting import until
from tradebot_ops.backups.manifest import FORMAT
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.backup.figures import figures
from tradebot_ops.operations.backup.tools import tools

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("backup")]


@pytest.fixture
def large(running: Tradebot) -> Iterator[Tradebot]:
    make_large(running)
    yield running
    until(lambda: _answers(running), "Postgres is back", 60)
    drop_large(running)


def _answers(tradebot: Tradebot) -> bool:
    with suppress(OpsError, psycopg.Error):
        return bool(rows(tradebot, "SELECT 1"))
    return False


def taken(tradebot: Tradebot) -> Path:
    return Path(tradebot.json("backup")["folder"])


def refused(tradebot: Tradebot, *words: str, code: str) -> str:
    """The message of a call that fails with this code."""
    done = tradebot.run(*words, "--json")
    document = json.loads(done.stdout)
    assert [each["code"] for each in document["errors"]] == [code], document
    assert done.returncode == int(code[3:5])
    return str(document["errors"][0]["message"])


def dumping(tradebot: Tradebot, process: subprocess.Popen[str]) -> None:
    """Wait until a dump is being written."""

    def begun() -> bool:
        assert process.poll() is None, process.communicate()
        return any(path.stat().st_size for each in drafts(tradebot) for path in each.glob("*.dump"))

    until(begun, "the dump begins", 60)


# The dump


def test_a_dump_that_fails_is_no_backup(large: Tradebot) -> None:
    process = large.start("backup", "--json")
    with connect(large) as other:
        query = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'pg_dump'"
        until(lambda: other.execute(query).fetchone() != (0,), "pg_dump is there and ended", 60)
    out, _ = process.communicate(timeout=60)
    error = json.loads(out)["errors"][0]
    assert (process.returncode, error["code"]) == (1, "TB-0131")
    assert error["message"].startswith("The database could not be dumped: ")
    assert backups(large) == []
    assert drafts(large) == []


def test_a_disk_that_is_full_fails_the_dump(running: Tradebot) -> None:
    ops = ops_of(running)
    with ops.postgres.session() as session, session.snapshot() as snapshot, pytest.raises(OpsError) as caught:
        tools(ops).dump(snapshot, Path("/dev/full"))
    assert "No space left on device" in caught.value.message


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk takes root")
def test_a_disk_that_will_be_full_begins_none(running: Tradebot, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", small]).returncode:
        pytest.skip("no small disk can be mounted here")
    try:
        running.environ["TRADEBOT_BACKUPS"] = str(small)
        assert f"{small} has 2 MB free" in refused(running, "backup", code="TB-0845")
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", small], check=True)


def test_a_place_that_cannot_be_written_is_named(running: Tradebot) -> None:
    running.environ["TRADEBOT_BACKUPS"] = "/dev/null/backups"
    assert refused(running, "backup", code="TB-0802").startswith("Cannot write /dev/null/backups")
    assert backups(running) == []


def test_one_that_was_killed_is_none_and_the_next_succeeds(large: Tradebot) -> None:
    process = large.start("backup")
    dumping(large, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert backups(large) == []
    assert len(drafts(large)) == 1
    made = taken(large)
    assert backups(large) == [made.name]
    assert drafts(large) == []


def test_two_at_once_are_one(large: Tradebot) -> None:
    process = large.start("backup")
    dumping(large, process)
    process.send_signal(signal.SIGSTOP)
    try:
        assert "backup create" in refused(large, "backup", code="TB-0701")
    finally:
        process.send_signal(signal.SIGCONT)
    assert process.wait(60) == 0
    assert len(backups(large)) == 1


def test_postgres_that_dies_in_the_middle_is_named(large: Tradebot) -> None:
    server = psutil.Process(large.pid("postgres-1"))
    process = large.start("backup", "--json")
    dumping(large, process)
    for each in (server, *server.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            each.kill()
    out, _ = process.communicate(timeout=60)
    assert json.loads(out)["errors"][0]["code"] in {"TB-0131", "TB-0535"}
    assert process.returncode in {1, 5}
    assert backups(large) == []


# What was made


def cut(text: bytes) -> bytes:
    """Within the data: after them a dump into a file has its contents once more, which no restore needs."""
    return text[: len(text) // 2]


def emptied(_: bytes) -> bytes:
    return b""


def flipped(text: bytes) -> bytes:
    """A bit within the prices: such a dump restores without an error."""
    at = text.index(b"\tIBM\t") if b"\tIBM\t" in text else len(text) // 2
    return text[:at] + bytes([text[at] ^ 1]) + text[at + 1 :]


@pytest.mark.parametrize("change", [cut, emptied, flipped])
def test_a_damaged_dump_is_found_by_its_checksum(running: Tradebot, change: Callable[[bytes], bytes]) -> None:
    """From then on it is restored by its name alone, and not even then while it is so."""
    path = taken(running) / "postgres.dump"
    path.write_bytes(change(path.read_bytes()))
    restore = ("--yes", "--stop")
    assert "postgres.dump" in refused(running, "backup", "restore", "latest", *restore, code="TB-0132")
    assert "postgres.dump is not as it was written" in refused(running, "backup", "verify", code="TB-0132")
    assert "postgres.dump" in refused(running, "backup", "restore", path.parent.name, *restore, code="TB-0132")
    refused(running, "backup", "restore", "latest", *restore, code="TB-0130")
    assert running.states()["api-1"] == "ready"


@pytest.mark.parametrize("change", [cut, emptied, flipped])
def test_a_damaged_dump_is_found_without_its_checksum(running: Tradebot, change: Callable[[bytes], bytes]) -> None:
    """As if it had been written so: then only the restore finds it, by an error or by other data."""
    rewrite(taken(running), "postgres.dump", change)
    document = json.loads(running.run("backup", "verify", "--json").stdout)
    assert {each["code"] for each in document["errors"]} <= {"TB-0131", "TB-0133"}
    assert not document["ok"]
    assert scratches(running) == []


def fewer(content: dict[str, Any]) -> None:
    content["database"]["tables"]["public.candle"]["rows"] += 1


def other(content: dict[str, Any]) -> None:
    content["database"]["tables"]["public.candle"]["digest"] = "7"


@pytest.mark.parametrize("change", [fewer, other])
def test_data_that_are_not_those_of_the_manifest_are_named(
    running: Tradebot, change: Callable[[dict[str, Any]], None]
) -> None:
    edited(taken(running), change)
    why = refused(running, "backup", "verify", code="TB-0133")
    assert "The table public.candle has " in why
    assert scratches(running) == []
    listed = json.loads(running.run("backup", "list", "--json").stdout)["data"]["backups"][0]
    assert (listed["restored_at"], listed["refuted_because"]) == (None, why)


def scratches(tradebot: Tradebot) -> list[tuple[Any, ...]]:
    return rows(tradebot, "SELECT datname FROM pg_database WHERE datname ~ 'verify|restoring'")


ODD = """
CREATE TYPE odd_mood AS ENUM ('calm', 'wild');
CREATE DOMAIN odd_price AS numeric CHECK (value >= 0);
CREATE TABLE odd_numbered (mood odd_mood, moods odd_mood[], what regclass, kinds_of regclass[], price odd_price);
INSERT INTO odd_numbered VALUES ('wild', '{calm,wild}', 'job', '{job,candle}', 1.50), (NULL, NULL, NULL, NULL, NULL);
CREATE TABLE odd_plain (f float8, n numeric, j json, k jsonb, a text[], b bytea, t timestamptz, r int4range, u uuid);
INSERT INTO odd_plain VALUES
  ('-0', 1.50, '{"b":  1, "a": 2}', '{"a": 1.0}', '{x,NULL}', '\\x00', '2026-03-29 01:30Z', '[1,5)', gen_random_uuid()),
  ('NaN', 'NaN', NULL, 'null', '{}', '', 'infinity', 'empty', NULL);
CREATE TABLE odd_rights (right_of aclitem);
INSERT INTO odd_rights VALUES ('tradebot=r/tradebot');
CREATE TABLE odd_empty ();
INSERT INTO odd_empty DEFAULT VALUES;
"""
NO_ODD = """
DROP TABLE IF EXISTS odd_numbered, odd_plain, odd_rights, odd_empty; DROP TYPE IF EXISTS odd_mood;
DROP DOMAIN IF EXISTS odd_price;
"""


@pytest.fixture
def odd(running: Tradebot) -> Iterator[Tradebot]:
    rows(running, NO_ODD + ODD)
    yield running
    rows(running, NO_ODD)


def digests(tradebot: Tradebot, form: int = FORMAT, database: str = "tradebot") -> dict[str, str]:
    with ops_of(tradebot).postgres.session(database) as session:
        return {name: found.digest for name, found in figures(session, form).tables.items()}


def test_what_another_database_numbers_anew_is_equal_there(odd: Tradebot) -> None:
    folder = taken(odd)
    assert odd.json("backup", "verify", folder.name)


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("odd_plain", "f = 0 WHERE f = 0"),
        ("odd_plain", "n = 1.5 WHERE n = 1.5"),
        ("odd_plain", 'j = \'{"b": 1, "a": 2}\' WHERE f = 0'),
        ("odd_plain", "k = '{\"a\": 1.00}' WHERE f = 0"),
        ("odd_plain", "a = '{x,\"NULL\"}' WHERE f = 0"),
        ("odd_plain", "r = '(1,5)' WHERE f = 0"),
        ("odd_numbered", "mood = 'calm' WHERE mood = 'wild'"),
        ("odd_numbered", "kinds_of = '{candle,job}' WHERE mood = 'wild'"),
        ("odd_plain", "u = NULL WHERE f = 0"),
        ("odd_rights", "right_of = 'tradebot=w/tradebot'"),
    ],
)
def test_no_other_value_is_taken_for_the_same(odd: Tradebot, table: str, change: str) -> None:
    """Not even one that compares equal."""
    before = digests(odd)
    rows(odd, f"UPDATE {table} SET {change}")  # noqa: S608
    now = digests(odd)
    assert now[f"public.{table}"] != before[f"public.{table}"]
    assert {name for name in before if name.startswith("public.odd") and now[name] != before[name]} == {
        f"public.{table}"
    }


def test_a_backup_of_the_first_form_is_verified_by_its_own_digests(odd: Tradebot) -> None:
    folder = taken(odd)
    odd.json("backup", "restore", folder.name, "--into", "odd_beside")
    first, second = digests(odd, 1, "odd_beside"), digests(odd, database="odd_beside")
    rows(odd, "DROP DATABASE odd_beside")
    assert first["public.odd_plain"] != second["public.odd_plain"]

    def as_before(content: dict[str, Any]) -> None:
        content["format"] = 1
        for name, table in content["database"]["tables"].items():
            table["digest"] = first[name]

    edited(folder, as_before)
    assert odd.json("backup", "verify", folder.name)


def test_a_verification_that_was_killed_leaves_nothing_for_long(large: Tradebot) -> None:
    made = taken(large)
    process = large.start("backup", "verify")
    until(lambda: scratches(large), "the database beside", 60)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    large.ok("backup", "verify", made.name, "--deep")
    assert scratches(large) == []
    assert large.json("backup", "list")["backups"][0]["restored_at"]


# Retention


def test_the_last_one_that_restores_outlives_the_younger_ones(running: Tradebot) -> None:
    proved = taken(running).name
    running.ok("backup", "verify")
    made = [taken(running).name for _ in range(2)]
    assert running.json("backup", "prune", "--keep", "1", "--dry-run")["removed"] == made[:1]
    assert len(backups(running)) == 3
    refused(running, "backup", "prune", "--keep", "1", code="TB-0902")
    assert running.json("backup", "prune", "--keep", "1", "--yes")["removed"] == made[:1]
    assert sorted(backups(running)) == [proved, made[1]]


def test_a_backup_that_fails_clears_nothing_away(running: Tradebot) -> None:
    made = taken(running).name
    rows(running, "CREATE VIEW broken AS SELECT 1 AS a")
    rows(running, "DELETE FROM pg_rewrite WHERE ev_class = 'broken'::regclass")
    try:
        assert "could not be dumped" in refused(running, "backup", "create", "--keep", "1", code="TB-0131")
        assert backups(running) == [made]
    finally:
        rows(running, "DELETE FROM pg_depend WHERE objid = 'broken'::regclass OR refobjid = 'broken'::regclass")
        rows(running, "DROP VIEW broken")


# Restore


def newer(content: dict[str, Any]) -> None:
    content["revision"] = "9999"


def strange(content: dict[str, Any]) -> None:
    content["project"] = "stranger"


def younger_server(content: dict[str, Any]) -> None:
    content["server"] = "99.1"


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (newer, "TB-0922", "has schema 9999, which this release does not know"),
        (strange, "TB-0921", "is of the project stranger"),
        (younger_server, "TB-0924", "was made by Postgres 99.1"),
    ],
)
def test_a_restore_that_would_do_harm_is_refused(
    running: Tradebot, change: Callable[[dict[str, Any]], None], code: str, words: str
) -> None:
    edited(taken(running), change)
    assert words in refused(running, "backup", "restore", "latest", "--into", "beside", code=code)
    assert rows(running, "SELECT 1 FROM pg_database WHERE datname = 'beside'") == []


def test_a_running_stack_is_not_restored_over(running: Tradebot) -> None:
    made = taken(running)
    assert "is running (api-1, worker-1)" in refused(running, "backup", "restore", "latest", "--yes", code="TB-0923")
    refused(running, "backup", "restore", "latest", "--stop", code="TB-0902")
    assert running.states()["worker-1"] == "ready"
    assert made.is_dir()


def test_a_restore_beside_goes_into_a_new_database_only(running: Tradebot) -> None:
    taken(running)
    assert "already" in refused(running, "backup", "restore", "latest", "--into", "tradebot", code="TB-0926")
    running.ok("backup", "restore", "latest", "--into", "beside")
    try:
        assert "already" in refused(running, "backup", "restore", "latest", "--into", "beside", code="TB-0926")
    finally:
        rows(running, "DROP DATABASE beside")


def test_the_configuration_is_written_into_an_empty_folder(running: Tradebot, tmp_path: Path) -> None:
    taken(running)
    running.ok("backup", "restore", "latest", "--only", "config", "--to", str(tmp_path / "c"))
    refused(running, "backup", "restore", "latest", "--only", "config", "--to", str(tmp_path / "c"), code="TB-0925")
    refused(running, "backup", "restore", "latest", "--only", "configs", code="TB-0266")
    assert (tmp_path / "c" / "compose.yaml").read_text() == (running.cwd / "compose.yaml").read_text()
    assert "WORKER_REPLICAS=1\n" in (tmp_path / "c" / "settings.env").read_text()
    secrets = [text for path in (running.state / "secrets").iterdir() if (text := path.read_text().strip())]
    assert len(secrets) >= 10
    archive = (shelf(running) / backups(running)[0] / "config.tar").read_bytes()
    assert [each for each in secrets if each.encode() in archive] == []


def test_a_restore_that_was_killed_leaves_the_database_as_it_was(large: Tradebot) -> None:
    taken(large)
    rows(large, "CREATE TABLE later ()")
    process = large.start("backup", "restore", "latest", "--stop", "--yes")
    until(lambda: scratches(large), "the database beside", 60)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    large.ok("up")
    assert rows(large, "SELECT to_regclass('later') IS NOT NULL") == [(True,)]
    data = large.json("backup", "restore", "latest", "--stop", "--yes")
    assert rows(large, "SELECT to_regclass('later') IS NOT NULL") == [(False,)]
    assert scratches(large) == []
    rows(large, f"DROP DATABASE {data['aside']}")
    large.ok("up")
