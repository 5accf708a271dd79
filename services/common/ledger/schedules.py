"""Schedules: jobs that are made again and again, at the times of a cron expression.

Each time makes one job, whoever asks and however often: the job's idempotency key names schedule and time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import Any
from uuid import UUID, uuid4

import structlog

from services.common.database import Connection, Database, Row
from services.common.jobtypes import Wish
from services.common.ledger.cron import BadCron, first_after, last_before, times_after
from services.common.ledger.rules.halt import unless_halted
from services.common.ledger.rules.queues import CLOSED
from services.common.ledger.sql import SUBMIT
from services.common.ledger.storable import jsonb, storable

# Times that nobody saw, for the stack was down: those of the last minute are made up for, each; of older ones the
# newest.
LATE_S = 60.0
# Of one schedule in one turn; the next turn goes on where this one stopped. No outage counts for more, either.
MOST = 100

_COLUMNS = """name, type, version, payload, max_attempts, cron, zone, paused, by, created_at, next_at, last_at,
    last_job, missed, notify"""
PUT = f"""
INSERT INTO schedule (name, type, version, payload, max_attempts, cron, zone, by, next_at, notify)
VALUES (%(name)s, %(type)s, %(version)s, %(payload)s, %(max_attempts)s, %(cron)s, %(zone)s, %(by)s, %(next_at)s,
  %(notify)s)
ON CONFLICT (name) DO UPDATE SET type = excluded.type, version = excluded.version, payload = excluded.payload,
  max_attempts = excluded.max_attempts, cron = excluded.cron, zone = excluded.zone, by = excluded.by,
  next_at = excluded.next_at, notify = excluded.notify
RETURNING {_COLUMNS}
"""  # noqa: S608 - only constants are put together
LIST = f"SELECT {_COLUMNS} FROM schedule ORDER BY name LIMIT 1000"  # noqa: S608 - only constants are put together
GET = f"SELECT {_COLUMNS} FROM schedule WHERE name = %(name)s"  # noqa: S608 - only constants are put together
REMOVE = "DELETE FROM schedule WHERE name = %(name)s RETURNING name"
PAUSE = f"""
UPDATE schedule SET paused = %(paused)s, by = %(by)s, next_at = %(next_at)s WHERE name = %(name)s RETURNING {_COLUMNS}
"""  # noqa: S608 - only constants are put together

NOW = "SELECT now() AS now"
TAKEN = f"SELECT NOT EXISTS ({CLOSED}) AND {unless_halted('%(type)s')} AS taken"
# Whoever holds a row makes its jobs; the others find nothing to do.
DUE = f"""
SELECT {_COLUMNS} FROM schedule WHERE NOT paused AND next_at <= %(until)s
ORDER BY next_at LIMIT 100 FOR UPDATE SKIP LOCKED
"""  # noqa: S608 - only constants are put together
MOVE_ON = """
UPDATE schedule SET next_at = %(next_at)s, last_at = coalesce(%(last_at)s, last_at),
  last_job = coalesce(%(last_job)s, last_job), missed = missed + %(missed)s
WHERE name = %(name)s
"""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Schedule:
    """``missed`` counts the times that passed without a job; ``next_at`` is None when there is no further one; of its
    jobs' ends those are reported that ``notify`` names."""

    name: str
    type: str
    version: int
    payload: dict[str, Any]
    max_attempts: int
    cron: str
    zone: str
    paused: bool
    by: str
    created_at: datetime
    next_at: datetime | None
    last_at: datetime | None
    last_job: UUID | None
    missed: int
    notify: Wish | None


@dataclass(frozen=True, slots=True)
class Turn:
    """A schedule's work: the times that get a job, how many get none, and when to look again."""

    times: tuple[datetime, ...]
    missed: int
    next_at: datetime | None


def turn(cron: str, zone: str, first: datetime, now: datetime, until: datetime) -> Turn:
    """The work for the times from ``first`` to ``until``. Raises ``BadCron``."""
    late_before = now - timedelta(seconds=LATE_S)
    times = [first] if first >= late_before else []
    following = times_after(cron, zone, max(first, late_before - timedelta(microseconds=1)))
    times += islice(takewhile(lambda time: time <= until, following), MOST - len(times))
    missed = 0
    if first < late_before:
        missed = 1 + sum(
            1 for _ in islice(takewhile(lambda time: time < late_before, times_after(cron, zone, first)), MOST - 1)
        )
        if not times:
            times, missed = [last_before(cron, zone, late_before) or first], missed - 1
    return Turn(tuple(times), missed, first_after(cron, zone, max(times[-1], late_before)))


class Schedules:
    """All methods raise ``DatabaseUnavailable``; those that are given an expression ``BadCron``, too."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(
        self,
        name: str,
        type: str,  # noqa: A002 - the field's name everywhere else
        payload: Mapping[str, Any],
        *,
        cron: str,
        zone: str,
        by: str,
        version: int = 1,
        max_attempts: int = 3,
        notify: Wish | None = None,
    ) -> Schedule:
        """Make or replace a schedule; its first time is the next one. ``notify``: people wish for news of each of its
        jobs. Raises ``UnstorableValue``.
        """
        params = {"name": name, "type": type, "payload": jsonb(dict(payload)), "cron": cron, "zone": zone, "by": by}
        params |= {"version": version, "max_attempts": max_attempts, "notify": notify}
        params["next_at"] = first_after(cron, zone, self._now())
        with storable():
            row: Any = self._database.row(PUT, params)
        return Schedule(**row)

    def listed(self) -> list[Schedule]:
        """The first thousand, by name."""
        return [Schedule(**row) for row in self._database.rows(LIST)]

    def remove(self, name: str) -> bool:
        """False when there is none. The jobs that it made stay."""
        return self._database.row(REMOVE, {"name": name}) is not None

    def pause(self, name: str, *, paused: bool, by: str) -> Schedule | None:
        """Make no more jobs, or go on with the next time from now; None when there is no such schedule."""
        row = self._database.row(GET, {"name": name})
        if row is None:
            return None
        next_at = first_after(row["cron"], row["zone"], self._now())
        row = self._database.row(PAUSE, {"name": name, "paused": paused, "by": by, "next_at": next_at})
        return Schedule(**row) if row else None

    def make_due(self, ahead_s: float = 0.0, now: datetime | None = None) -> int:
        """Make the jobs whose times have come, or come within ``ahead_s`` seconds by Postgres' clock; how many."""
        with self._database.connection() as connection, connection.transaction():
            now = now or _now(connection)
            until = now + timedelta(seconds=ahead_s)
            due = connection.execute(DUE.encode(), {"until": until}).fetchall()
            return sum(_make(connection, Schedule(**row), now, until) for row in due)

    def _now(self) -> datetime:
        with self._database.connection() as connection:
            return _now(connection)


def _now(connection: Connection) -> datetime:
    row: Any = connection.execute(NOW).fetchone()
    now: datetime = row["now"]
    return now


def _make(connection: Connection, schedule: Schedule, now: datetime, until: datetime) -> int:
    assert schedule.next_at is not None  # noqa: S101 - else it would not be due
    try:
        found = turn(schedule.cron, schedule.zone, schedule.next_at, now, until)
    except BadCron as error:
        # Of another version, or a zone that this host does not know: the other schedules, and the sweeper, go on.
        log.error("schedule not understood", schedule=schedule.name, reason=str(error))  # noqa: TRY400
        return 0
    # A closed type takes no jobs, from nobody, nor does a halted stack: what is worth doing now may be wrong later.
    taken: Any = connection.execute(TAKEN.encode(), {"type": schedule.type}).fetchone()
    times = found.times if taken["taken"] else ()
    jobs = [_submit(connection, schedule, time) for time in times]
    made = [job["id"] for job in jobs if job]
    params = {
        "name": schedule.name,
        "next_at": found.next_at,
        "last_at": times[-1] if times else None,
        "last_job": made[-1] if made else None,
        "missed": found.missed + len(found.times) - len(times),
    }
    connection.execute(MOVE_ON, params)
    return len(made)


def _submit(connection: Connection, schedule: Schedule, time: datetime) -> Row | None:
    params = {
        "id": uuid4(),
        "type": schedule.type,
        "version": schedule.version,
        "payload": jsonb(schedule.payload),
        "max_attempts": schedule.max_attempts,
        "key": f"schedule {schedule.name} {time.isoformat()}",
        "trace_id": "",
        "not_before": time,
        "notify": schedule.notify,
        "by": f"schedule {schedule.name}",
    }
    row: Row | None = connection.execute(SUBMIT.encode(), params).fetchone()
    return row
