"""A backup is counted and dumped at one moment, read back, and has its name only then; nothing older goes before."""

import shutil
import tarfile
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.backups.test_manifest import FIGURES, MANIFEST
from tests.operations.backup.kit import (
    GONE,
    NOON,
    VERSION,
    Database,
    PipingEngine,
    put,
    shelf,
    with_database,
    world,
)
from tests.operations.seen import Made, refusal
from tests.operations.seen import made as changes
from tradebot_ops.audit.chain import Head
from tradebot_ops.audit.log import AuditLog
from tradebot_ops.backups.manifest import DatabaseFigures
from tradebot_ops.backups.shelf import CONFIG
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import ExecResult
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report
from tradebot_ops.operations.backup import create
from tradebot_ops.operations.backup.figures import figures
from tradebot_ops.operations.backup.tools import Tools
from tradebot_ops.progress import Phase, ProgressEvent, ignore_progress
from tradebot_ops.version import version


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    return world(tmp_path, "postgres")


@pytest.fixture
def database(ops: Ops) -> Database:
    return with_database(ops)


def made(ops: Ops, keep: int | None = None) -> Report:
    return create.create(ops, ignore_progress, keep=keep)


def engine(ops: Ops) -> PipingEngine:
    assert isinstance(ops.engine, PipingEngine)
    return ops.engine


def test_counts_and_dump_are_of_one_snapshot(ops: Ops, database: Database) -> None:
    found = made(ops)
    (backup,) = shelf(ops).all()
    dump, read = engine(ops).piped_words
    assert (dump[0], "--snapshot=the-snapshot" in dump) == ("pg_dump", True)
    assert (read[0], engine(ops).read) == ("pg_restore", [b"dump"])
    said = database.statements()
    counted = next(number for number, text in enumerate(said) if text.startswith("SELECT count(*) AS rows"))
    assert said.index("SNAPSHOT") < counted < said.index("END OF SNAPSHOT")
    dumped, read_back = engine(ops).piped_at
    assert said.index("SNAPSHOT") < dumped <= said.index("END OF SNAPSHOT"), "it is dumped while the snapshot lasts"
    assert read_back == said.index("END OF SNAPSHOT") + 1
    manifest = backup.manifest
    assert manifest
    assert (manifest.database, manifest.server, manifest.revision) == (FIGURES, "18.6", "0010")
    assert (manifest.project, manifest.moment, manifest.roles) == ("demo", NOON, {"tradebot_app": True})
    assert manifest.by.startswith("ana@")
    assert isinstance(found.data, dict)
    assert (found.data["id"], found.data["rows"], found.data["removed"]) == (backup.id, 3, [])
    assert ("taken", NOON) in [params for _, text, params in database.asked if text.startswith("INSERT")]


def test_it_is_counted_while_it_is_dumped(ops: Ops, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    counting, dumping = threading.Event(), threading.Event()
    dump, count = Tools.dump, figures

    def counts(session: Any) -> DatabaseFigures:
        counting.set()
        assert dumping.wait(20)
        return count(session)

    def dumps(tools: Tools, snapshot: str, target: Path) -> None:
        assert counting.wait(20)
        dumping.set()
        dump(tools, snapshot, target)

    monkeypatch.setattr(create, "figures", counts)
    monkeypatch.setattr(Tools, "dump", dumps)
    made(ops)
    (backup,) = shelf(ops).all()
    assert backup.manifest
    assert backup.manifest.database == FIGURES


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OpsError("It broke.", code="TB-0131")])
def test_a_dump_that_fails_or_is_interrupted_does_not_wait_for_the_count(
    ops: Ops, database: Database, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def counts(_: Any) -> DatabaseFigures:
        assert database.cancelled.wait(20)
        raise GONE

    def dumps(*_: Any) -> None:
        raise error

    monkeypatch.setattr(create, "figures", counts)
    monkeypatch.setattr(Tools, "dump", dumps)
    with pytest.raises(type(error)) as caught:
        made(ops)
    assert caught.value is error
    assert database.cancelled.is_set()
    assert not shelf(ops).all()


def test_tables_that_cannot_be_counted_leave_no_backup(ops: Ops, database: Database) -> None:
    database.answers["SELECT count(*) AS rows"] = GONE
    with pytest.raises(OpsError) as caught:
        made(ops)
    assert caught.value is GONE
    assert not shelf(ops).all()


def test_what_never_was_migrated_has_no_revision(ops: Ops, database: Database) -> None:
    database.answers["SELECT to_regclass('public.alembic_version')"] = [{"found": None}]
    made(ops)
    manifest = shelf(ops).all()[0].manifest
    assert manifest
    assert manifest.revision == ""


@pytest.mark.parametrize("tool", ["pg_dump", "pg_restore"])
def test_what_cannot_be_dumped_or_read_back_leaves_no_backup_and_all_old_ones(
    ops: Ops, database: Database, tool: str
) -> None:
    old = [put(ops, days).id for days in (3, 2, 1)]
    engine(ops).ends[tool] = ExecResult(1, f"{tool}: error: it broke\n")
    with pytest.raises(OpsError, match="it broke") as caught:
        made(ops, keep=1)
    assert caught.value.code == "TB-0131"
    assert [each.id for each in shelf(ops).all()] == old
    assert not list(shelf(ops).folder.glob(".*"))


def test_older_ones_go_only_with_keep(ops: Ops, database: Database) -> None:
    old = [put(ops, days).id for days in (3, 2, 1)]
    made(ops)
    assert len(shelf(ops).all()) == 4
    found = made(ops, keep=2)
    assert len(shelf(ops).all()) == 2
    assert isinstance(found.data, dict)
    assert found.data["removed"] == old
    assert found.sections[0].lines[1] == f"Cleared away 3 older: {', '.join(old)}."


@pytest.mark.parametrize(
    ("tool", "server", "refused"), [("18.6", "18.6", 0), ("17.2", "18.6", 1), ("19.0", "18.6", 1), ("?", "18.6", 0)]
)
def test_tools_of_another_version_begin_nothing(
    tmp_path: Path, tool: str, server: str, refused: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ops = world(tmp_path, "postgres")
    with_database(ops, **{"SHOW server_version": [{"server_version": server}]})
    answer = ExecResult(0, f"pg_dump (PostgreSQL) {tool}")
    monkeypatch.setattr(engine(ops), "_answers", {("pg_dump", "--version"): answer})
    if not refused:
        made(ops)
        return
    with pytest.raises(OpsError) as caught:
        made(ops)
    assert (caught.value.code, engine(ops).piped_words) == ("TB-0846", [])


@pytest.mark.parametrize(
    ("size", "free", "refused"), [(100, 200, 0), (100, 199, 1), (1, 70_000_000, 1), (1, 100_000_000, 0)]
)
def test_a_backup_that_may_fill_the_disk_is_not_begun(
    ops: Ops, database: Database, monkeypatch: pytest.MonkeyPatch, size: int, free: int, refused: int
) -> None:
    """Twice the size of the database, or of the last backup, has to be free."""
    database.answers["SELECT pg_database_size"] = [{"size": size}]
    if size == 1:
        put(ops, 2)
        put(ops, 1, text=b"x" * 40_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    if not refused:
        made(ops)
        return
    with pytest.raises(OpsError) as caught:
        made(ops)
    assert (caught.value.code, engine(ops).piped_words) == ("TB-0845", [])


@pytest.mark.parametrize(("ahead_s", "warned"), [(0.5, False), (3600.0, True)])
def test_a_clock_that_was_set_back_is_said(ops: Ops, database: Database, ahead_s: float, warned: bool) -> None:
    later = put(ops, -ahead_s / 86400, manifest=replace(MANIFEST))
    found = made(ops)
    said = [each for each in found.warnings if "was set back" in each]
    assert bool(said) is warned
    assert all(later.id in each for each in said)
    assert later.at == NOON + timedelta(seconds=ahead_s)


def test_a_clearing_that_fails_says_that_the_backup_is_whole(
    ops: Ops, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> tuple[str, ...]:
        raise OpsError("The disk is read-only.", code="TB-0802")

    monkeypatch.setattr("tradebot_ops.operations.backup.prune.clear", fails)
    with pytest.raises(OpsError) as caught:
        made(ops, keep=1)
    (backup,) = shelf(ops).all()
    assert caught.value.detail == (f"The backup {backup.id} is whole; older ones could not be cleared away.",)
    assert [params for _, text, params in database.asked if text.startswith("INSERT") and "clearing_failed" in params]


def test_that_the_metrics_know_nothing_of_it_is_a_warning(ops: Ops, database: Database) -> None:
    database.answers["SELECT to_regclass('public.backup_note')"] = GONE
    assert [each for each in made(ops).warnings if "could not be brought up to date" in each]


def test_the_configuration_is_in_it_and_no_secret(ops: Ops, database: Database) -> None:
    made(ops)
    with tarfile.open(shelf(ops).all()[0].folder / CONFIG) as archive:
        names = archive.getnames()
        owners = {(each.uid, each.gid, each.uname, each.gname) for each in archive}
        settings = archive.extractfile("settings.env")
        assert settings
        assert b"BACKUPS" not in settings.read()
    assert {"compose.yaml", "settings.env"} <= set(names)
    assert any(name.startswith("config/") for name in names)
    assert not [name for name in names if "secret" in name or name.startswith("/")]
    assert owners == {(0, 0, "", "")}


def test_all_that_is_said_of_a_backup(ops: Ops, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    events, times = list[ProgressEvent](), iter([10.0, 12.34567])
    monkeypatch.setattr(create, "time", SimpleNamespace(monotonic=lambda: next(times)))
    report = create.create(ops, events.append)
    (backup,) = shelf(ops).all()
    assert report.data == {
        "id": backup.id,
        "folder": str(backup.folder),
        "bytes": backup.size,
        "seconds": 2.346,
        "rows": 3,
        "tables": 1,
        "removed": [],
    }
    first, *others = report.sections[0].lines
    assert first.startswith(f"Backup {backup.id}: 3 rows of 1 table, ")
    assert first.endswith(", read back, in 2.35 s.")
    assert others == [
        f"It lies in {backup.folder}, on this host, not encrypted.",
        f"Prove that it restores: tradebot backup verify {backup.id}",
    ]
    assert events == [
        ProgressEvent("backup", Phase.PREPARING, "counting and dumping"),
        ProgressEvent("backup", Phase.PREPARING, "reading the dump back"),
        ProgressEvent("backup", Phase.DONE, backup.id),
    ]


def test_a_backup_that_cleared_others_away_says_so(ops: Ops, database: Database) -> None:
    old = [put(ops, days).id for days in (3, 2, 1)]
    report = made(ops, keep=2)
    assert isinstance(report.data, dict)
    assert report.data["removed"] == old[:2]
    assert report.sections[0].lines[1] == f"Cleared away 2 older: {', '.join(old[:2])}."
    assert len(report.sections[0].lines) == 4
    assert report.warnings == ()


def test_who_and_what_made_it_stands_in_its_manifest(ops: Ops, database: Database) -> None:
    made(ops)
    (backup,) = shelf(ops).all()
    manifest = backup.manifest
    assert manifest
    assert (manifest.tradebot, manifest.engine, manifest.major) == (version(), ops.engine.name, 18)
    noted = AuditLog(ops.state.folder).noted()
    assert noted
    assert (manifest.audit.entries, noted.entries) == (1, 2), "it began, and later it ended"
    assert manifest.audit.hash not in {Head().hash, noted.hash}


def test_it_is_dumped_from_the_database_of_the_stack(ops: Ops, database: Database) -> None:
    made(ops)
    asked = {name for name, text, _ in database.asked}
    assert asked == {""}, "no other database is asked"
    assert "--dbname=tradebot" in engine(ops).piped_words[0]


def test_each_refusal_says_what_to_do(
    ops: Ops, database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(engine(ops), "_answers", {VERSION: ExecResult(0, "pg_dump (PostgreSQL) 17.2")})
    with pytest.raises(OpsError) as caught:
        made(ops)
    assert refusal(caught.value) == (
        "TB-0846",
        "pg_dump is of version 17 and Postgres of version 18, so no backup was begun.",
        "Restart Postgres with the programs that lie beside it: tradebot restart postgres",
    )
    monkeypatch.setattr(engine(ops), "_answers", {VERSION: ExecResult(0, "pg_dump (PostgreSQL) 18.6")})
    asked: list[Path] = []

    def usage(path: Path) -> SimpleNamespace:
        asked.append(path)
        return SimpleNamespace(free=1023)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    database.answers["SELECT pg_database_size"] = [{"size": 512}]
    for there in (tmp_path, ops.settings.backups, shelf(ops).folder):
        there.mkdir(parents=True, exist_ok=True)
        with pytest.raises(OpsError) as caught:
            made(ops)
        assert refusal(caught.value) == (
            "TB-0845",
            f"{there} has 1023 B free, and a backup may take 1 KB; no backup was begun.",
            "Free space, `tradebot backup prune`, or name another folder: TRADEBOT_BACKUPS=/path tradebot backup",
        )
    assert asked == [tmp_path, ops.settings.backups, shelf(ops).folder], "the nearest folder that is there is asked"


def test_the_warning_of_a_clock_is_a_sentence(ops: Ops, database: Database) -> None:
    later = put(ops, -1)
    (said,) = made(ops).warnings
    assert said == (
        f"The clock of this host was set back: the backup {later.id} is dated after this one, and `latest` means it "
        "until then."
    )


def test_the_audit_log_has_it(ops: Ops, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    assert changes(monkeypatch, lambda heard: create.create(ops, heard)) == [Made(("backup create",))]
