"""The two ways to the halt: through the API, and while that gives no answer in the ledger itself.

A stop that needs more to work than what it stops is none. A restore takes the second one, too: nothing runs yet.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Protocol

from tradebot_ops.clients.postgres_session import Session
from tradebot_ops.context import Ops
from tradebot_ops.errors import Refused, Unreachable
from tradebot_ops.facts.work.halt import HARMLESS

_HAS = "SELECT to_regclass('public.halt') IS NOT NULL AS has"
_HALT = """
INSERT INTO public.halt (by, reason) VALUES (%s, %s) ON CONFLICT ((true)) WHERE ended_at IS NULL DO NOTHING
"""
_RESUME = "UPDATE public.halt SET ended_at = now(), ended_by = %s, ended_reason = %s WHERE ended_at IS NULL"
_LATEST = """
SELECT ended_at IS NULL AS halted, at::text AS at, by, reason, ended_at::text AS ended_at, ended_by, ended_reason
FROM halt ORDER BY id DESC LIMIT 1
"""
_JOBS = """
SELECT count(*) FILTER (WHERE state = 'queued' AND NOT coalesce(not_before > now(), false)) AS waiting,
  count(*) FILTER (WHERE not_before > now()) AS scheduled,
  count(*) FILTER (WHERE state = 'retrying') AS retrying, count(*) FILTER (WHERE state = 'running') AS running
FROM job WHERE state IN ('queued', 'retrying', 'running')
"""

Halt = Mapping[str, Any]
#: As the API says it of a stack that was never halted.
NEVER: dict[str, Any] = {"halted": False} | dict.fromkeys(
    ("at", "by", "reason", "ended_at", "ended_by", "ended_reason")
)


class Way(Protocol):
    """``latest`` and ``jobs`` in the fields of the API's `/halt` and `/queues`."""

    def latest(self) -> Halt: ...
    def jobs(self) -> Mapping[str, int]: ...
    def cancel_jobs(self) -> int: ...
    def close_intake(self, reason: str) -> None: ...
    def open_intake(self, reason: str) -> None: ...


class ByApi:
    def __init__(self, ops: Ops) -> None:
        self._ops = ops

    def latest(self) -> Halt:
        return self._ops.api.halted()

    def jobs(self) -> Mapping[str, int]:
        queues = self._ops.api.queues()
        return {name: sum(each[name] for each in queues) for name in ("waiting", "scheduled", "retrying", "running")}

    def cancel_jobs(self) -> int:
        """How many jobs were asked to end; one that has ended meanwhile is none of them."""
        asked, cursor = 0, None
        while True:
            page = self._ops.api.jobs("running", None, 200, cursor)
            for job in page["jobs"]:
                if job["type"] not in HARMLESS:
                    with suppress(Refused):
                        self._ops.api.cancel(job["id"])
                        asked += 1
            if (cursor := page["next"]) is None:
                return asked

    def close_intake(self, reason: str) -> None:
        self._ops.api.halt(reason)

    def open_intake(self, reason: str) -> None:
        self._ops.api.resume(reason)


class ByLedger:
    def __init__(self, ops: Ops, by: str) -> None:
        self._ops, self._by = ops, by

    def latest(self) -> Halt:
        return next(iter(self._ops.postgres.rows(_LATEST)), NEVER)

    def jobs(self) -> Mapping[str, int]:
        return self._ops.postgres.rows(_JOBS)[0]

    def cancel_jobs(self) -> int:
        raise Unreachable(
            "Running jobs were not asked to end: the API gives no answer. The stack is halted all the same.",
            code="TB-0566",
            hint="tradebot restart api, then once more: tradebot halt --cancel-running",
        )

    def close_intake(self, reason: str) -> None:
        with self._ops.postgres.session() as session:
            halt(session, reason, self._by)

    def open_intake(self, reason: str) -> None:
        with self._ops.postgres.session() as session:
            session.rows(_RESUME, (self._by, reason))


def way(ops: Ops, by: str) -> tuple[Way, Halt]:
    """The way that answers, and the halt before anything is changed. Raises ``OpsError`` where none does."""
    through = ByApi(ops)
    try:
        return through, through.latest()
    except Unreachable:
        direct = ByLedger(ops, by)
        return direct, direct.latest()


def has_halts(session: Session) -> bool:
    """False for a schema from before there were any."""
    return bool(session.rows(_HAS)[0]["has"])


def halt(session: Session, reason: str, by: str) -> None:
    """No job starts and none is taken from here on; a halt that is in force stays as it is."""
    session.rows(_HALT, (by, reason))
