"""The newest stored run of `prod-check`, for whoever looks back at it; `prod-check` itself writes the file."""

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.fact import NotApplicable, Skip, fact

FILE = "checks.sqlite"
BUSY_S = 2.0


@dataclass(frozen=True)
class Result:
    """One check's state and message."""

    id: str
    state: str
    message: str


@dataclass(frozen=True)
class LastCheck:
    """``started`` in ISO 8601; ``results`` in the order of their ids."""

    started: str
    env: str
    score: float
    grade: str
    results: tuple[Result, ...]


def unusable(path: Path, use: str, error: Exception) -> OpsError:
    """The file of earlier runs cannot be ``read`` or ``written``."""
    return OpsError(
        f"The results of earlier runs in {path} cannot be {use}: {error}.",
        code="TB-0808",
        hint=f"Move the file away and run the command again: mv '{path}' '{path}.damaged'",
    )


@fact()
def last_check(ops: Ops) -> LastCheck:
    path = ops.state.folder / FILE
    if not path.exists():
        raise NotApplicable(Skip.PREREQUISITE, "No run of prod-check is stored.")
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", timeout=BUSY_S, uri=True)) as db:
            run = db.execute("SELECT id, started, env, score, grade FROM run ORDER BY id DESC LIMIT 1").fetchone()
            rows = db.execute("SELECT id, state, message FROM result WHERE run = ? ORDER BY id", run[:1]) if run else ()
            results = tuple(Result(*row) for row in rows)
    except sqlite3.Error as error:
        raise unusable(path, "read", error) from error
    if run is None:
        raise NotApplicable(Skip.PREREQUISITE, "No run of prod-check is stored.")
    _, started, env, score, grade = run
    return LastCheck(started, env, score, grade, results)
