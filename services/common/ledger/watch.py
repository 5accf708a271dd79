"""Jobs as they get on: of many at once, the transitions since the last look, and how far each is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.common.database import Database
from services.common.ledger.model import State
from services.common.ledger.parts import NOTE_NOW, PROGRESS_NOW

# First how they are, then what happened: the event of a job that is over cannot be missing then.
STATES = f"SELECT id, state, {PROGRESS_NOW}, {NOTE_NOW} FROM job WHERE id = ANY(%(ids)s)"  # noqa: S608 - only constants
STEPS = """
SELECT event.id, job_id, at, state, by, note
FROM job_event AS event JOIN unnest(%(ids)s::uuid[], %(after)s::bigint[]) AS seen (job, last) ON job_id = job
WHERE event.id > last ORDER BY event.id
"""


@dataclass(frozen=True, slots=True)
class Step:
    """One transition; ``id`` grows from one to the next."""

    id: int
    at: datetime
    state: State
    by: str
    note: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A job at this moment; ``steps`` are those since the last look."""

    state: State
    progress: float
    note: str
    steps: tuple[Step, ...]


class Watch:
    """Reads only. Raises ``DatabaseUnavailable``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def look(self, after: Mapping[UUID, int]) -> dict[UUID, Seen]:
        """Each of these jobs that is there, with its steps after the one of this number."""
        params = {"ids": list(after), "after": list(after.values())}
        states = self._database.rows(STATES, params)
        steps: dict[UUID, list[Step]] = {row["id"]: [] for row in states}
        for row in self._database.rows(STEPS, params):
            step = Step(row["id"], row["at"], State(row["state"]), row["by"], row["note"])
            steps.setdefault(row["job_id"], []).append(step)
        return {
            row["id"]: Seen(State(row["state"]), row["progress"], row["note"], tuple(steps[row["id"]]))
            for row in states
        }
