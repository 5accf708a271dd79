"""One delivery of one id: claim the job, run it in a child process, record the outcome.

The loops that wait for Postgres are our own: the end of the worker cuts their pauses short and changes their patience,
and nothing cuts a pause of stamina short.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import psycopg
import structlog

from services.common.backoff import Backoff
from services.common.database import DatabaseUnavailable
from services.common.jobtypes import FAILS_ON_PURPOSE, registry
from services.common.ledger import Abandoned, Claim, Failure, Fault, Ledger, State, UnstorableValue
from services.common.transport import Transport, TransportUnavailable
from services.worker.lease_renewer import Held, LeaseRenewer
from services.worker.metrics import WorkerMetrics
from services.worker.outcome import Failed, Outcome, Parted, Stop, Stopped, Succeeded
from services.worker.process import ChildDied
from services.worker.supervise import TERM_GRACE_S, Limits, Watch
from services.worker.warm_process import WarmProcess

UNKNOWN_TYPE_TIMEOUT_S = 60.0
RETRY_S = 0.5
# Between attempts that the stack failed under: there is no end to them, so they must not become a load.
STACK_BACKOFF = Backoff(first_s=2.0, most_s=60.0)
# In a long outage, trying more often only fills the log.
MOST_RETRY_S = 4.0
# A worker that ends does not wait for Postgres for ever: a job not recorded is run again by another worker.
CLOSING_PATIENCE_S = 5.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Running:
    """The job that runs now; ``since`` is Unix time in seconds."""

    id: str
    type: str
    since: float


class Attempts:
    """Runs claimed jobs of one queue, one at a time; safe to call from the threads of the consumer.

    ``alive`` is called many times a second while an attempt gets on, whatever its job does; ``make_room`` when the end
    of a job lets another one of its type start.
    """

    def __init__(
        self,
        queue: str,
        ledger: Ledger,
        transport: Transport,
        lease_renewer: LeaseRenewer,
        warm_process: WarmProcess,
        metrics: WorkerMetrics,
        *,
        worker: str,
        memory_limit: int,
        alive: Callable[[], None] = lambda: None,
        make_room: Callable[[], None] = lambda: None,
    ) -> None:
        self._queue = queue
        self._ledger = ledger
        self._transport = transport
        self._lease_renewer = lease_renewer
        self._warm_process = warm_process
        self._metrics = metrics
        self._worker = worker
        self._memory_limit = memory_limit
        self._alive = alive
        self._make_room = make_room
        self._closing = threading.Event()
        self.running: Running | None = None

    def close(self) -> None:
        """No new attempt starts from here on."""
        self._closing.set()

    def run(self, job_id: UUID, free: Callable[[], None]) -> None:
        """Do whatever this id asks for. ``free`` is called once the child process can take the next job."""
        try:
            claim = self._claim(job_id)
            if isinstance(claim, Abandoned):
                self._report_abandoned(job_id, claim)
            if not isinstance(claim, Claim):
                return
            with self._lease_renewer.keep(claim) as held:
                if self._closing.is_set():
                    held.stop_request.stop = Stop.SHUTDOWN
                began = time.monotonic()
                outcome = self._execute(held)
                free()
                seconds = time.monotonic() - began
                state = self._persist(lambda: self._record(claim, outcome))
                self._report(claim, outcome, state, seconds)
                if state is None:
                    # Whoever took the job over has it, and drops this. If a crash of Postgres took the claim back, or
                    # Postgres is away while this worker ends, nobody has it.
                    self.give_back(claim.id)
                if claim.parent and state and state.final:
                    self._settle(claim.parent)
                if claim.limited:
                    self._make_room()
        finally:
            free()

    def _claim(self, job_id: UUID) -> Claim | Abandoned | None:
        """None for a duplicate delivery, and when the worker ends: then another worker gets the id."""
        pause = RETRY_S
        while not self._closing.is_set():
            self._alive()
            try:
                # Before the claim: a worker whose job processes do not start must not take jobs.
                self._warm_process.wait_ready()
                return self._ledger.claim(job_id, self._worker, self._lease_renewer.lease_s)
            except (DatabaseUnavailable, psycopg.Error, ChildDied) as error:
                log.warning("cannot claim", job_id=str(job_id), reason=str(error))
                self._closing.wait(pause)
                pause = min(2 * pause, MOST_RETRY_S)
        self.give_back(job_id)
        return None

    def give_back(self, job_id: UUID) -> None:
        """Let another worker have this id, before those that waited behind it."""
        self._send(job_id, 0.0, ahead=True)

    def _execute(self, held: Held) -> Outcome:
        claim = held.claim
        self.running = Running(str(claim.id), claim.type, time.time())
        self._metrics.job_started(claim.type)
        try:
            process = self._warm_process.get()
            watch = Watch(process, claim, self._limits(claim), held.stop_request, held.report, self._alive)
            outcome = watch.run()
            used_up = watch.struck or not process.alive or process.rss() > self._memory_limit / 2
            self._warm_process.give_back(process, used_up=used_up)
        except ChildDied as error:
            failure = Failure("NoJobProcess", str(error), fingerprint="NoJobProcess", fault=Fault.STACK)
            return Failed(failure, 0)
        finally:
            self.running = None
            self._metrics.job_ended(claim.type)
        return outcome

    def _limits(self, claim: Claim) -> Limits:
        job_type = registry().get(claim.type)
        return Limits(job_type.timeout_s if job_type else UNKNOWN_TYPE_TIMEOUT_S, self._memory_limit)

    def _persist(self, record: Callable[[], State | None]) -> State | None:
        """Try until Postgres takes it. If our lease ends meanwhile, another worker's outcome counts."""
        patience, pause = None, RETRY_S
        while True:
            try:
                return record()
            except DatabaseUnavailable as error:
                log.warning("outcome not recorded yet", reason=str(error))
            if self._closing.is_set():
                patience = patience or time.monotonic() + CLOSING_PATIENCE_S
                if time.monotonic() > patience:
                    return None
            time.sleep(RETRY_S if self._closing.is_set() else pause)
            pause = min(2 * pause, MOST_RETRY_S)

    def _record(self, claim: Claim, outcome: Outcome) -> State | None:
        """The job's new state; None when the lease was lost and nothing was recorded."""
        match outcome:
            case Succeeded(result, peak):
                try:
                    return State.SUCCEEDED if self._ledger.finish(claim, result, peak_memory_bytes=peak) else None
                except UnstorableValue as error:
                    failure = Failure("UnstorableResult", str(error), fingerprint=f"UnstorableResult-{claim.type}")
                    return self._ledger.fail(claim, failure, peak_memory_bytes=peak)
            case Parted(count, peak):
                return self._record_parts(claim, count, peak)
            case Failed(failure, peak):
                return self._record_failure(claim, failure, peak)
            case Stopped(Stop.CANCEL, forced, peak):
                note = f"did not end within {TERM_GRACE_S:g} s of SIGTERM: killed" if forced else "ended by SIGTERM"
                return State.CANCELLED if self._ledger.cancelled(claim, note, peak_memory_bytes=peak) else None
            case Stopped(Stop.SHUTDOWN):
                if not self._ledger.release(claim, f"{self._worker} shut down"):
                    return None
                self.give_back(claim.id)
                return State.QUEUED
            case _:
                return None

    def _record_parts(self, claim: Claim, count: int, peak: int) -> State | None:
        """From here on the job waits in the ledger, and this worker is free for any part."""
        if (split := self._ledger.parted.split(claim, count, peak_memory_bytes=peak)) is None:
            return None
        state, parts = split
        for part in parts:
            self._send(part, 0.0)
        return state

    def _settle(self, whole: UUID) -> None:
        """After the end of a part. What fails here is left to the sweeper."""
        try:
            state = self._ledger.parted.settle(whole, by=self._worker)
        except (DatabaseUnavailable, psycopg.Error) as error:
            log.warning("end of a part not followed up yet", job_id=str(whole), reason=str(error))
            return
        if state is State.QUEUED:
            # Whoever waited for the parts has waited once.
            self._send(whole, 0.0, ahead=True)

    def _record_failure(self, claim: Claim, failure: Failure, peak: int) -> State | None:
        """A failure of the stack costs no attempt: the job waits, and is tried again without end."""
        if failure.fault is Fault.STACK:
            wait_s = STACK_BACKOFF.wait_s(claim.deferrals + 1) if failure.wait_s is None else failure.wait_s
            state = self._ledger.defer(claim, failure, wait_s, peak_memory_bytes=peak)
        else:
            wait_s = self._backoff(claim).wait_s(claim.attempt)
            retry_in_s = None if failure.final else wait_s
            state = self._ledger.fail(claim, failure, retry_in_s=retry_in_s, peak_memory_bytes=peak)
        if state is State.RETRYING:
            # Whoever has lost its process has waited for its turn once.
            self._send(claim.id, wait_s, ahead=failure.killed and wait_s == 0)
        return state

    def _backoff(self, claim: Claim) -> Backoff:
        job_type = registry().get(claim.type)
        return job_type.backoff if job_type else STACK_BACKOFF

    def _send(self, job_id: UUID, delay_s: float, *, ahead: bool = False) -> None:
        try:
            self._transport.send(job_id, self._queue, delay_s=delay_s, ahead=ahead)
        except TransportUnavailable as error:
            log.warning("not sent; the sweeper will", job_id=str(job_id), reason=str(error))

    def _report_abandoned(self, job_id: UUID, abandoned: Abandoned) -> None:
        """The worker that it died with can count it no more, so that this one does."""
        self._metrics.job_abandoned(abandoned.type, abandoned.state)
        log.error("job's worker vanished", job_id=str(job_id), job_type=abandoned.type, status=abandoned.state.value)

    def _report(self, claim: Claim, outcome: Outcome, state: State | None, seconds: float) -> None:
        status = state.value if state else "lost"
        if state:
            self._metrics.job_recorded(claim.type, state, seconds)
        values = {"job_id": str(claim.id), "job_type": claim.type, "attempt": claim.attempt, "status": status}
        values |= {
            "seconds": round(seconds, 4),
            "peak_memory_bytes": outcome.peak_bytes,
            "trace_id": claim.trace_id,
        }
        if isinstance(outcome, Failed):
            failure = outcome.failure
            values |= {"error_type": failure.error_type, "reason": failure.message}
            if claim.type == FAILS_ON_PURPOSE:
                log.info("job failed", **values)
                return
            self._metrics.error(failure.error_type)
            log.error("job failed", **values)
        else:
            log.info("job done", **values)
