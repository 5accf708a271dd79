"""Results of earlier runs: kept per project in an SQLite file, the newest runs only.

SQLite, because runs are written by two commands at once, must survive a kill in the middle, and are asked for by check.
A store that cannot be written costs the run nothing but its memory: the caller turns the error into a warning.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from tradebot_ops.facts.project.last_check import FILE, unusable
from tradebot_ops.private_folder import make_private
from tradebot_ops.prodcheck.runner import Run

#: Runs kept; about 20 KB each.
KEPT = 500
BUSY_SECONDS = 5.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS run (
    id INTEGER PRIMARY KEY, started TEXT NOT NULL, seconds REAL NOT NULL, env TEXT NOT NULL,
    score REAL NOT NULL, grade TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS result (
    run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE, id TEXT NOT NULL, state TEXT NOT NULL,
    message TEXT NOT NULL, PRIMARY KEY (run, id));
"""


@dataclass(frozen=True)
class Past:
    """One stored run. ``states`` and ``messages`` by check id; empty where only the run itself was asked for."""

    id: int
    started: datetime
    seconds: float
    env: str
    score: float
    grade: str
    states: Mapping[str, str] = field(default_factory=dict)
    messages: Mapping[str, str] = field(default_factory=dict)


class History:
    """The runs of one project. Nothing is created before the first write. Raises ``OpsError`` TB-0808."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE

    def add(self, run: Run) -> None:
        """Store a run, and forget the oldest beyond ``KEPT``."""
        with self._connection(write=True) as db:
            stored = db.execute(
                "INSERT INTO run (started, seconds, env, score, grade) VALUES (?, ?, ?, ?, ?)",
                (run.started.astimezone(UTC).isoformat(), run.seconds, run.env, run.score, run.grade),
            ).lastrowid
            rows = [(stored, r.check.id, str(r.state), r.verdict.message) for r in run.results]
            db.executemany("INSERT INTO result VALUES (?, ?, ?, ?)", rows)
            db.execute("DELETE FROM run WHERE id <= ?", ((stored or 0) - KEPT,))

    def last(self) -> Past | None:
        """The newest run with its results; None before the first."""
        newest = self.runs(1)
        if not newest:
            return None
        with self._connection() as db:
            rows = db.execute("SELECT id, state, message FROM result WHERE run = ?", (newest[0].id,)).fetchall()
        states = {id_: state for id_, state, _ in rows}
        return replace(newest[0], states=states, messages={id_: message for id_, _, message in rows})

    def runs(self, limit: int) -> list[Past]:
        """The newest runs first, without their results."""
        if not self.path.exists():
            return []
        with self._connection() as db:
            rows = db.execute(
                "SELECT id, started, seconds, env, score, grade FROM run ORDER BY id DESC LIMIT ?", (limit,)
            ).fetchall()
        return [
            Past(id_, datetime.fromisoformat(started), seconds, env, score, grade)
            for id_, started, seconds, env, score, grade in rows
        ]

    def trend(self, limit: int) -> dict[str, list[str]]:
        """For each check that was not always fine its states in the newest runs, oldest first; "" where not judged."""
        ids = [past.id for past in reversed(self.runs(limit))]
        if not ids:
            return {}
        with self._connection() as db:
            rows = db.execute("SELECT run, id, state FROM result WHERE run >= ?", (ids[0],)).fetchall()
        return _courses(ids, rows)

    @contextlib.contextmanager
    def _connection(self, *, write: bool = False) -> Iterator[sqlite3.Connection]:
        try:
            if write:
                self._make()
            mode = "rw" if write else "ro"
            db = sqlite3.connect(f"file:{self.path}?mode={mode}", timeout=BUSY_SECONDS, uri=True)
            try:
                db.execute("PRAGMA foreign_keys = ON")
                with db:
                    yield db
            finally:
                db.close()
        except (sqlite3.Error, OSError) as error:
            raise unusable(self.path, "written" if write else "read", error) from error

    def _make(self) -> None:
        """The file belongs to its owner alone before anything is written into it."""
        make_private(self.path.parent)
        os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        db = sqlite3.connect(self.path, timeout=BUSY_SECONDS)
        try:
            db.executescript(_SCHEMA)
        finally:
            db.close()


def _courses(ids: Sequence[int], rows: Sequence[tuple[int, str, str]]) -> dict[str, list[str]]:
    found: dict[str, dict[int, str]] = {}
    for run, id_, state in rows:
        found.setdefault(id_, {})[run] = state
    return {
        id_: [states.get(run, "") for run in ids]
        for id_, states in sorted(found.items())
        if set(states.values()) - {"pass", "skip"}
    }


@dataclass(frozen=True)
class Change:
    """A check whose state is another than in the run before; "" where it was not judged then."""

    id: str
    before: str
    now: str


def changes(before: Past, run: Run) -> tuple[Change, ...]:
    """Differences from an earlier run, among what both judged or only this one did."""
    return tuple(
        Change(result.check.id, before.states.get(result.check.id, ""), str(result.state))
        for result in run.results
        if before.states.get(result.check.id, "") != str(result.state)
    )
