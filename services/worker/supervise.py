"""One attempt in a child process, watched from outside: time, memory, signals, and orders to stop."""

import math
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from services.common.jobtypes import LIMITS_VARIABLE
from services.common.ledger import Claim, Failure, Fault
from services.worker.outcome import Failed, Outcome, Parted, Stop, Stopped, Succeeded
from services.worker.process import ChildDied, JobProcess, Message

TICK_S = 0.025
# Between SIGTERM and SIGKILL, for a job to put its things in order.
TERM_GRACE_S = 3.0


@dataclass(frozen=True)
class Limits:
    """Seconds of an attempt, and bytes of resident memory of its process."""

    seconds: float
    memory_bytes: int


@dataclass
class StopRequest:
    """Requests of others to the running attempt; written by other threads, read here at every tick."""

    stop: Stop | None = None


@dataclass
class Watch:
    """Supervises one attempt; ``run`` returns when the attempt is over, the child perhaps with it.

    Once a stop or a limit has struck, the outcome is settled: what the child says afterwards does not count.
    """

    process: JobProcess
    claim: Claim
    limits: Limits
    stop_request: StopRequest
    on_progress: Callable[[float, str], None]
    on_look: Callable[[], None] = lambda: None
    peak_bytes: int = field(default=0, init=False)
    _verdict: Failure | Stop | None = field(default=None, init=False)
    _kill_at: float = field(default=math.inf, init=False)
    _forced: bool = field(default=False, init=False)

    @property
    def struck(self) -> bool:
        """The job was stopped from outside: its process is not to be used again."""
        return self._verdict is not None

    def run(self) -> Outcome:
        deadline = time.monotonic() + self.limits.seconds
        try:
            self.process.send(self._order())
            while True:
                message = self.process.receive(TICK_S)
                if message is not None and (outcome := self._heard(message)):
                    return outcome
                self._look(deadline)
        except ChildDied:
            return self._died()

    def _order(self) -> Message:
        claim = self.claim
        log = {
            "job_id": str(claim.id),
            "job_type": claim.type,
            "attempt": claim.attempt,
            "trace_id": claim.trace_id,
        }
        return {
            "id": str(claim.id),
            "lease_token": claim.lease_token,
            "type": claim.type,
            "version": claim.version,
            "payload": claim.payload,
            "part": claim.part,
            "parts": claim.parts,
            "log": log,
        }

    def _look(self, deadline: float) -> None:
        self.on_look()
        self._sample()
        now = time.monotonic()
        if self._verdict is None and self.stop_request.stop is not None:
            self._strike(self.stop_request.stop, now + TERM_GRACE_S)
        if self._verdict is None and now > deadline:
            self._strike(_too_long(self.limits.seconds, self.claim.type), now + TERM_GRACE_S)
        if now > self._kill_at:
            self._forced, self._kill_at = True, math.inf
            self.process.kill()

    def _sample(self) -> None:
        rss = self.process.rss()
        self.peak_bytes = max(self.peak_bytes, rss)
        if rss > self.limits.memory_bytes and not self._forced:
            # Memory does not wait for manners.
            self._strike(self._verdict or _too_big(rss, self.limits.memory_bytes, self.claim.type), 0.0)

    def _strike(self, verdict: Failure | Stop, kill_at: float) -> None:
        self._verdict, self._kill_at = verdict, min(kill_at, self._kill_at)
        self.process.terminate()

    def _heard(self, message: Message) -> Outcome | None:
        if message["kind"] == "progress":
            self.on_progress(message["fraction"], message["note"])
            return None
        self._sample()
        if self._verdict is not None:
            return self._settled()
        if message["kind"] == "done":
            return Succeeded(message["result"], self.peak_bytes)
        if message["kind"] == "parted":
            return Parted(message["count"], self.peak_bytes)
        if message["kind"] == "lost":
            return Stopped(Stop.LOST, forced=False, peak_bytes=self.peak_bytes)
        if message["kind"] == "cancelled":
            return self._failed("JobCancelled", "The job stopped itself as cancelled, but nobody had asked for it.")
        return Failed(_raised(message), self.peak_bytes)

    def _died(self) -> Outcome:
        code = self.process.end(grace_s=1.0)
        if self._verdict is not None:
            return self._settled()
        if code == -signal.SIGKILL:
            return Failed(_killed_from_outside(self.claim.type), self.peak_bytes)
        if code < 0:
            name = _signal_name(-code)
            message = f"The job's process was killed by signal {-code} ({name})."
            return self._failed("KilledBySignal", message, name, killed=True)
        message = f"The job's process ended by itself with exit code {code}."
        return self._failed("ProcessExited", message, str(code), killed=True)

    def _settled(self) -> Outcome:
        if isinstance(self._verdict, Stop):
            return Stopped(self._verdict, self._forced, self.peak_bytes)
        assert isinstance(self._verdict, Failure)  # noqa: S101 - narrows a union
        return Failed(self._verdict, self.peak_bytes)

    def _failed(self, kind: str, message: str, detail: str = "", *, killed: bool = False) -> Failed:
        return Failed(_failure(kind, message, self.claim.type, detail, killed=killed), self.peak_bytes)


def _raised(message: Message) -> Failure:
    """The exception that ended the job."""
    fault = Fault.STACK if message["lost_store"] or message["wait_s"] is not None else Fault.JOB
    words = (message["type"], message["message"], message["traceback"], message["fingerprint"])
    return Failure(*words, fault, final=message["final"], wait_s=message["wait_s"])


def _killed_from_outside(job_type: str) -> Failure:
    """By an operator, or the kernel when the host had no memory left: as with a worker that vanishes, the job is run
    again now, and counts as its killer only when that happens again and again."""
    message = f"The job's process was killed from outside by signal {signal.SIGKILL:d} (SIGKILL)."
    failure = _failure("KilledBySignal", message, job_type, "SIGKILL", killed=True)
    return replace(failure, fault=Fault.STACK, wait_s=0.0)


def _too_long(limit_s: float, job_type: str) -> Failure:
    return _failure(
        "TimeLimitExceeded",
        f"The job ran longer than its time limit of {limit_s:g} s (setting {LIMITS_VARIABLE}).",
        job_type,
    )


def _too_big(rss: int, limit: int, job_type: str) -> Failure:
    message = f"The job's process used {rss} bytes of memory; its limit is {limit} bytes (setting JOB_MEMORY_LIMIT)."
    return _failure("MemoryLimitExceeded", message, job_type, killed=True)


def _failure(kind: str, message: str, job_type: str, detail: str = "", *, killed: bool = False) -> Failure:
    """Without a traceback, failures differ only in what and where it happened."""
    return Failure(kind, message, fingerprint="-".join(filter(None, (kind, detail, job_type))), killed=killed)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
