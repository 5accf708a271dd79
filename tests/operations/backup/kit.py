"""A project with a shelf of backups, and a database that answers from a table and remembers what it was asked."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from threading import Event
from typing import Any, BinaryIO

from tests.backups.test_manifest import MANIFEST
from tests.paths import ROOT
from tradebot_ops.backups.manifest import Manifest
from tradebot_ops.backups.shelf import DUMP, Backup, Shelf
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import ExecResult, Replica
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.settings import load_settings
from tradebot_ops.stack.model import Stack

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
GONE = OpsError("Postgres does not answer.", code="TB-0501")
VERSION = ("pg_dump", "--version")


@dataclass
class Database:
    """``answers`` are rows by the beginning of a statement; ``asked`` has each statement with the database's name."""

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    cancelled: Event = field(default_factory=Event)

    @contextmanager
    def session(self, database: str = "") -> Iterator["Session"]:
        yield Session(self, database)
        self.closed.append(database)

    def statements(self) -> list[str]:
        return [text for _, text, _ in self.asked]


@dataclass
class Session:
    of: Database
    name: str

    def rows(self, query: Any, params: Sequence[Any] = ()) -> list[dict[str, Any]]:
        text = " ".join((query if isinstance(query, str) else query.as_string(None)).split())
        self.of.asked.append((self.name, text, tuple(params)))
        for beginning, answer in self.of.answers.items():
            if text.startswith(beginning):
                if isinstance(answer, Exception):
                    raise answer
                return list(answer)
        return []

    def cancel(self) -> None:
        self.of.cancelled.set()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.rows("BEGIN")
        yield
        self.rows("COMMIT")

    @contextmanager
    def snapshot(self) -> Iterator[str]:
        self.rows("SNAPSHOT")
        yield "the-snapshot"
        self.rows("END OF SNAPSHOT")


class PipingEngine(StubEngine):
    """``ends`` says how a command ends, by its first word; ``piped_words`` are the commands in their order."""

    def __init__(self, *words: Any, **options: Any) -> None:
        super().__init__(*words, **options)
        self.piped_words: list[tuple[str, ...]] = []
        self.ends: dict[str, ExecResult] = {}
        self.read: list[bytes] = []
        self.database: Database | None = None
        #: How many statements the database had been asked before each command.
        self.piped_at: list[int] = []

    def piped(
        self, replica: Replica, command: Sequence[str], *, source: BinaryIO | None = None, sink: BinaryIO | None = None
    ) -> ExecResult:
        assert replica.service == "postgres"
        self.piped_words.append(tuple(command))
        self.piped_at.append(len(self.database.asked) if self.database else 0)
        if source is not None:
            self.read.append(source.read())
        if sink is not None:
            sink.write(b"dump")
        return self.ends.get(command[0], ExecResult(0, ""))


def world(tmp_path: Path, *services: str, clock: Callable[[], datetime] = lambda: NOON) -> Ops:
    """A project in which these services run."""
    environ = {"TRADEBOT_STATE": str(tmp_path / "state"), "HOME": str(tmp_path), "USER": "ana"}
    environ["TRADEBOT_BACKUPS"] = str(tmp_path / "backups")
    answers = {VERSION: ExecResult(0, "pg_dump (PostgreSQL) 18.6")}
    engine = PipingEngine("demo", answers=answers)
    ops = Ops(load_settings({"project": "demo"}, environ, ROOT), engine, clock)
    ops.__dict__["stack"] = _stack()
    if services:
        engine.prepare(ops.stack, lambda *_: None)
    for service in services:
        engine.apply(ops.stack, service, 1)
    engine.recording.clear()
    return ops


@cache
def _stack() -> Stack:
    """Of no test's own folder, so that it is read once."""
    environ = {"TRADEBOT_STATE": "/nowhere", "HOME": "/nowhere"}
    return Ops(load_settings({"project": "demo"}, environ, ROOT), StubEngine("demo")).stack


def with_database(ops: Ops, **answers: Any) -> Database:
    """Instead of the project's Postgres: one of version 18 with what ``MANIFEST`` counts."""
    found = Database({**EQUAL, **answers})
    ops.__dict__["postgres"] = found
    if isinstance(ops.engine, PipingEngine):
        ops.engine.database = found
    return found


#: What a database answers that is equal to ``MANIFEST``.
EQUAL: dict[str, Any] = {
    "SHOW server_version": [{"server_version": "18.6 (Debian 18.6-1)"}],
    "SELECT schemaname": [{"name": "public.job_id", "value": 9}],
    "SELECT n.nspname AS schema": [{"schema": "public", "name": "job", "portable": True}],
    "SELECT count(*) AS rows": [{"rows": 3, "digest": "77"}],
    "WITH ours": [{"schema": "abc"}],
    "SELECT rolname AS name, rolcanlogin": [{"name": "tradebot_app", "login": True}],
    "SELECT rolname AS name FROM": [{"name": "postgres"}],
    "SELECT to_regclass('public.alembic_version')": [{"found": "alembic_version"}],
    "SELECT version_num": [{"revision": "0010"}],
    "SELECT pg_database_size": [{"size": 1}],
    "SELECT to_regclass('public.backup_note')": [{"has": True}],
    "SELECT to_regclass('public.halt')": [{"has": True}],
    "SELECT count(*) AS tables": [{"tables": 5}],
}


def put(ops: Ops, days_ago: float = 0.0, manifest: Manifest = MANIFEST, text: bytes = b"dump") -> Backup:
    """One more backup of this age."""
    at = NOON - timedelta(days=days_ago)
    with shelf(ops).draft(at) as draft:
        (draft.folder / DUMP).write_bytes(text)
        return draft.finish(replace(manifest, taken_at=at.isoformat()))


def damage(backup: Backup) -> None:
    (backup.folder / "manifest.json").write_text("{")


def shelf(ops: Ops) -> Shelf:
    return Shelf(ops.settings.backups / ops.settings.project)
