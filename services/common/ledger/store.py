"""Every move a job can make. Methods are safe from several threads; all raise ``DatabaseUnavailable``."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from services.common.database import Database, Row, storable_text
from services.common.jobtypes import Wish
from services.common.ledger import parts, sql, sweep_sql
from services.common.ledger.cursor import cursor_of, position
from services.common.ledger.model import (
    SPARE_S,
    Abandoned,
    Claim,
    Due,
    Event,
    Failure,
    IdempotencyConflict,
    Job,
    Recovered,
    Renewal,
    State,
    Submission,
)
from services.common.ledger.parts import PartedJobs
from services.common.ledger.rules import queues
from services.common.ledger.rules.halt import raise_if_halted
from services.common.ledger.storable import jsonb, plain_json, storable

#: Seconds that Postgres has for the counts of a scrape, of which Prometheus gives ten.
COUNTS_S = 3.0


class Ledger:
    """Jobs and their events, on a ``Database`` that the caller opens and closes.

    ``limits`` are those of running jobs that types declare; an operator may have set others.
    """

    def __init__(self, database: Database, limits: Mapping[str, int] | None = None) -> None:
        self._database = database
        self.parted = PartedJobs(database)
        self._limits = json.dumps(dict(limits or {}))

    def submit(
        self,
        type: str,  # noqa: A002 - the field's name everywhere else
        payload: dict[str, Any],
        *,
        version: int = 1,
        max_attempts: int = 3,
        idempotency_key: str | None = None,
        trace_id: str = "",
        not_before: datetime | None = None,
        notify: Wish | None = None,
        by: str = "api",
    ) -> Submission:
        """Store a queued job. The caller sends its id afterwards, and calls ``unsent`` if that fails.

        One for later is not sent: the sweeper does that. ``notify``: people wish for news of it. The same key with the
        same type and payload gives the first job again; with others it raises ``IdempotencyConflict``. Raises
        ``StackHalted`` while nothing is taken, ``QueueClosed`` for a type that takes no new jobs, and
        ``UnstorableValue`` for a payload that is not JSON to Postgres.
        """
        params = {
            "id": uuid4(),
            "type": type,
            "version": version,
            "payload": jsonb(payload),
            "max_attempts": max_attempts,
            "key": idempotency_key,
            "trace_id": trace_id,
            "not_before": not_before,
            "notify": notify,
            "by": by,
        }
        with storable():
            while (row := self._database.row(sql.SUBMIT, params)) is None:
                if earlier := self._database.row(sql.BY_KEY, params):
                    if not earlier.pop("same"):
                        raise IdempotencyConflict(f"the idempotency key {idempotency_key!r} was used for another job")
                    return Submission(job_of(earlier), created=False)
                raise_if_halted(self._database, type)
                if closed := self._database.row(queues.CLOSED, params):
                    raise queues.QueueClosed(type, **closed)
                # Opened between the statements: it is taken now.
        return Submission(job_of(row), created=True)

    def unsent(self, job_id: UUID) -> None:
        """The id could not be sent: let the sweeper send it at its next turn."""
        self._database.execute(sql.UNSENT, {"id": job_id})

    def claim(self, job_id: UUID, worker: str, lease_s: float) -> Claim | Abandoned | None:
        """Take the job for ``lease_s`` seconds; None when it is not ours to run (a duplicate: drop it).

        A job whose worker vanished is taken over, in the same attempt; or buried as ``dead`` when it has lost
        ``KILL_LIMIT`` workers, or as ``cancelled`` when that was asked for. One of a type that is paused, or of which
        enough run already, is held back, as is any while the stack is halted: the sweeper sends it once it may start.
        """
        params = {"id": job_id, "worker": worker, "lease_s": lease_s, "limits": self._limits}
        if row := self._database.row(queues.CLAIM, params):
            return Claim(**row)
        if row := self._database.row(sql.BURY, {"id": job_id, "by": worker}):
            return Abandoned(row["type"], State(row["state"]))
        with self._database.connection() as connection, connection.transaction():
            row = queues.claim_under_rule(connection, params)
        return Claim(**row) if row else None

    def renew(self, claim: Claim, lease_s: float) -> Renewal:
        """Prolong the lease to ``lease_s`` seconds from now."""
        return _renewal(self._database.row(sql.RENEW, _held(claim) | {"lease_s": lease_s}))

    def end_leases(self, worker: str) -> int:
        """End the leases of a worker that is known to be gone, so that its jobs are taken over now; how many."""
        return len(self._database.rows(sweep_sql.END_LEASES, {"worker": worker, "spare_s": SPARE_S}))

    def recover(self, alive: Sequence[str], *, by: str = "api") -> list[Recovered]:
        """End the leases of all workers but these. The caller sends the ids, ahead of others."""
        return [Recovered(**row) for row in self._database.rows(sweep_sql.RECOVER, {"alive": list(alive), "by": by})]

    def progress(self, claim: Claim, fraction: float, note: str = "") -> Renewal:
        """Record how far the job is, 0 to 1."""
        params = _held(claim) | {"progress": min(max(fraction, 0.0), 1.0), "note": storable_text(note)[:500]}
        return _renewal(self._database.row(sql.PROGRESS, params))

    def finish(self, claim: Claim, result: dict[str, Any], *, peak_memory_bytes: int | None = None) -> bool:
        """Store the result; False when the lease was lost, and then nothing is stored.

        Raises ``UnstorableValue`` for a result that is not JSON: the job is still ours, and should ``fail``.
        """
        params = _held(claim) | {"result": plain_json(result), "peak": peak_memory_bytes}
        with storable():
            return self._database.row(sql.FINISH, params) is not None

    def fail(
        self,
        claim: Claim,
        failure: Failure,
        *,
        retry_in_s: float | None = None,
        peak_memory_bytes: int | None = None,
    ) -> State | None:
        """End this attempt as failed; None when the lease was lost.

        ``retrying`` when ``retry_in_s`` is given and attempts are left (send the id with that delay), else
        ``dead``.
        """
        params = _held(claim) | _failed(failure) | {"retry_in_s": retry_in_s, "peak": peak_memory_bytes}
        row = self._database.row(sql.FAIL, params | {"killed": int(failure.killed)})
        return State(row["state"]) if row else None

    def defer(
        self, claim: Claim, failure: Failure, delay_s: float, *, peak_memory_bytes: int | None = None
    ) -> State | None:
        """Give the attempt back, which failed for no fault of the job; None when the lease was lost.

        ``retrying`` in ``delay_s`` seconds (send the id with that delay), or ``cancelled`` where that was asked for;
        ``dead`` when it has lost ``KILL_LIMIT`` processes.
        """
        params = _held(claim) | _failed(failure) | {"delay_s": delay_s, "peak": peak_memory_bytes}
        row = self._database.row(sql.DEFER, params | {"killed": int(failure.killed)})
        return State(row["state"]) if row else None

    def release(self, claim: Claim, note: str, *, delay_s: float = 0.0) -> bool:
        """Give the job back, its attempt unburned, its token grown; False when the lease is lost.

        It is ``queued`` again, or ``retrying`` in ``delay_s`` seconds. If the caller does not send it,
        the sweeper will.
        """
        params = _held(claim) | {"note": note, "delay_s": delay_s, "by": claim.worker}
        return self._database.row(sql.RELEASE, params) is not None

    def cancelled(self, claim: Claim, note: str = "", *, peak_memory_bytes: int | None = None) -> bool:
        """The running job was stopped on request; False when the lease was lost."""
        params = _held(claim) | {"note": note, "peak": peak_memory_bytes}
        return self._database.row(sql.CANCELLED, params) is not None

    def request_cancel(self, job_id: UUID, *, by: str = "api") -> Job | None:
        """End a waiting job now, or mark a running one for its worker; None when unknown or already over."""
        row = self._database.row(sql.REQUEST_CANCEL, {"id": job_id, "by": by})
        return job_of(row) if row else None

    def hasten(self, fingerprint: str, note: str, *, by: str = "api") -> int:
        """Let the jobs that wait for the stack, with this fingerprint, run at the sweeper's next turn; how many."""
        row = self._database.row(sweep_sql.HASTEN, {"fingerprint": fingerprint, "note": note, "by": by})
        return int(row["jobs"]) if row else 0

    @contextmanager
    def overdue(
        self,
        limit: int = 500,
        *,
        resend_s: float = 30.0,
        grace_s: float = 5.0,
        ahead_s: float = 0.0,
        all_sent: bool = False,
        beating: Sequence[str] = (),
    ) -> Iterator[list[Due]]:
        """Ids to send (again), oldest first, for the one sweeper that holds the lock; empty for any other.

        Leaving the block normally marks them as sent; leaving it by an exception keeps them overdue, as does taking one
        out of the list. Each repetition doubles ``resend_s``; ``grace_s`` is how late a delayed message may be;
        ``ahead_s`` how long before its time a job for later is given; ``all_sent`` also gives ids sent moments ago,
        for a transport that lost everything; ``beating`` names workers that were just heard of, whose jobs are left to
        them for ``SPARE_S`` beyond their leases. Jobs whose parts are over move on first.
        """
        params: dict[str, Any] = {"resend_s": resend_s, "grace_s": grace_s, "ahead_s": ahead_s, "spare_s": SPARE_S}
        params |= {"limit": limit, "all": all_sent, "beating": list(beating), "limits": self._limits}
        with self._database.connection() as connection, connection.transaction():
            lock = connection.execute(sweep_sql.SWEEP_LOCK).fetchone()
            if lock is None or not lock["held"]:
                yield []
                return
            connection.execute(parts.SETTLE_ALL.encode(), {"by": "sweeper"})
            connection.execute(parts.CLEAR)
            due = [Due(**row) for row in connection.execute(sweep_sql.OVERDUE, params)]
            yield due
            if due:
                connection.execute(sweep_sql.MARK_SENT, {"ids": [each.id for each in due]})

    def get(self, job_id: UUID) -> Job | None:
        row = self._database.row(f"SELECT {sql.COLUMNS} FROM job WHERE id = %(id)s", {"id": job_id})  # noqa: S608
        return job_of(row) if row else None

    def events(self, job_id: UUID) -> list[Event]:
        """Events of the job, oldest first."""
        rows = self._database.rows(sql.EVENTS, {"id": job_id})
        return [Event(row["at"], State(row["state"]), row["by"], row["note"]) for row in rows]

    def list_jobs(
        self,
        *,
        state: State | None = None,
        type: str | None = None,  # noqa: A002
        fingerprint: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
        beginning: str | None = None,
        tracebacks: bool = False,
    ) -> tuple[list[Job], str | None]:
        """Newest first, and the cursor of the next page; ``beginning`` is that of their ids, hexadecimal.

        A part of a job is found by its id alone. Without results, and without tracebacks unless these are wanted: both
        may be large.
        Raises ``ValueError`` for a cursor that is not ours.
        """
        conditions = ["true" if beginning else "parent IS NULL"]
        params: Row = {"limit": limit + 1, "state": state, "type": type, "fingerprint": fingerprint}
        conditions += ["state = %(state)s"] * (state is not None) + ["type = %(type)s"] * (type is not None)
        conditions += ["fingerprint = %(fingerprint)s"] * (fingerprint is not None)
        if cursor is not None:
            conditions.append("(submitted_at, id) < (%(at)s, %(id)s)")
            params["at"], params["id"] = position(cursor)
        if beginning is not None:
            # A range, so that the index of ids finds them.
            digits = beginning.replace("-", "")[:32]
            conditions.append("id BETWEEN %(first)s AND %(last)s")
            params["first"], params["last"] = UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
        columns = sql.TRACEBACK_COLUMNS if tracebacks else sql.LIGHT_COLUMNS
        query = (
            f"SELECT {columns} FROM job WHERE {' AND '.join(conditions)}"  # noqa: S608
            " ORDER BY submitted_at DESC, id DESC LIMIT %(limit)s"
        )
        jobs = [job_of(row) for row in self._database.rows(query, params)]
        return jobs[:limit], cursor_of(jobs[limit - 1]) if len(jobs) > limit else None

    def check(self) -> None:
        """Raise ``DatabaseUnavailable`` unless jobs can be stored: Postgres answers and has our schema."""
        self._database.row("SELECT id FROM job LIMIT 1")

    def counts(self) -> dict[State, int]:
        """How many jobs are queued, retrying, running and dead, but for those that fail on purpose.

        Soon enough for a scrape: one that is late would hide everything else that its page says.
        """
        found = {row["state"]: row["jobs"] for row in self._database.rows(sql.COUNTS, answer_s=COUNTS_S)}
        return {state: found.get(state, 0) for state in (State.QUEUED, State.RETRYING, State.RUNNING, State.DEAD)}


def _held(claim: Claim) -> Row:
    return {"id": claim.id, "token": claim.lease_token}


def _failed(failure: Failure) -> Row:
    return {
        "error_type": storable_text(failure.error_type),
        "message": storable_text(failure.message),
        "traceback": storable_text(failure.traceback),
        "fingerprint": failure.fingerprint,
        "note": storable_text(f"{failure.error_type}: {failure.message}")[:500],
    }


def _renewal(row: Row | None) -> Renewal:
    if row is None:
        return Renewal.LOST
    return Renewal.CANCEL if row["cancel"] else Renewal.HELD


def job_of(row: Row) -> Job:
    return Job(**(row | {"state": State(row["state"])}))
