"""The job process: ``python -m services.worker.child LINE PARENT``, started by ``JobProcess`` alone.

It takes one order after another from its parent over the socket with file descriptor ``LINE``, and says how
each went. It may be killed at any moment.
"""

import ctypes
import gc
import json
import math
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import Any

import psycopg
import structlog

from services.common.fingerprint import fingerprint
from services.common.jobtypes import (
    BreakerOpen,
    InParts,
    JobCancelled,
    JobFailure,
    JobType,
    LeaseLost,
    PayloadInvalid,
    registry,
    waiting_for,
)
from services.common.logging import configure_logging, redactor_for
from services.common.settings import Settings
from services.worker.context import ChildContext, Shared, Store

PR_SET_PDEATHSIG = 1
IDLE_S = 30.0
LONGEST_MESSAGE = 2_000
LONGEST_TRACEBACK = 50_000
LARGEST_RESULT = 16 * 1024**2
# The kernel's OOM killer must take the job, not the worker beside it.
OOM_SCORE = "500"


def main(line_number: int, parent: int) -> int:
    die_with(parent)
    settings = Settings()
    configure_logging(settings)
    registry()
    child = Child(Connection(line_number), Store(settings), cache(lambda: _shared(settings)))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    child.serve()
    return 0


def _shared(settings: Settings) -> Shared:
    """A job that calls nobody outside needs no connection to Redis."""
    from services.common.breaker import Breakers
    from services.common.redis_client import redis_client

    client = redis_client(settings)
    return Shared(Breakers(client, redactor_for(settings).text), client, settings.exchange_address)


def die_with(parent: int) -> None:
    """Ask the kernel for a SIGKILL when our parent ends, however it ends."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(OOM_SCORE, encoding="ascii")


class Child:
    """Does what the parent says, one job at a time, until the line closes."""

    def __init__(self, line: Connection, store: Store, shared: Callable[[], Shared]) -> None:
        self._line = line
        self._store = store
        self._shared = shared
        self._context: ChildContext | None = None

    def serve(self) -> None:
        signal.signal(signal.SIGTERM, self._on_terminate)
        self._say({"kind": "ready"})
        while True:
            if not self._line.poll(IDLE_S):
                # An idle worker must not occupy one of Postgres' connections.
                self._store.close()
                self._line.poll(None)
            try:
                order = json.loads(self._line.recv_bytes())
            except EOFError:
                return
            self._say(self._attempt(order))
            # The job may have put a handler of its own here.
            signal.signal(signal.SIGTERM, self._on_terminate)

    def _on_terminate(self, number: int, frame: FrameType | None) -> None:
        if self._context is None:
            sys.exit(0)
        if not self._context.cancelled:
            self._context.cancelled = True
            raise JobCancelled

    def _attempt(self, order: dict[str, Any]) -> dict[str, Any]:
        structlog.contextvars.bind_contextvars(**order["log"])
        self._store.discard_if_dead()
        try:
            self._context = ChildContext(order["id"], order["lease_token"], self._store, self._shared, self._say)
            answer = _run(order, self._context)
        except JobCancelled:
            answer = {"kind": "cancelled"}
        except LeaseLost:
            answer = {"kind": "lost"}
        except BaseException as error:  # noqa: BLE001 - whatever a job raises, also SystemExit, is its failure
            answer = _failed(error, order["type"], lost_store=self._store.lost)
        finally:
            self._context = None
            structlog.contextvars.clear_contextvars()
        self._store.tidy()
        gc.collect(0)
        return answer

    def _say(self, message: dict[str, Any]) -> None:
        content = json.dumps(message).encode()
        # A SIGTERM in the middle would leave half a message on the line.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        try:
            self._line.send_bytes(content)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def _run(order: dict[str, Any], context: ChildContext) -> dict[str, Any]:
    job_type = registry().get(order["type"])
    if job_type is None:
        raise JobFailure(f"This worker knows no job type {order['type']!r}.", hint=_why_unknown(order["type"]))
    if order["version"] not in (job_type.version, *job_type.accepts):
        raise JobFailure(
            f"The job is of version {order['version']} of {job_type.name}, and this worker runs version"
            f" {job_type.version}.",
            hint="Submit it anew, or restart the workers where they are the older ones.",
        )
    try:
        payload = job_type.validate(order["payload"])
    except PayloadInvalid as error:
        raise JobFailure(f"The payload does not fit {job_type.name}: {error}.") from error
    try:
        result = _do(job_type, context, payload, order["part"], order["parts"])
    except InParts as parts:
        if job_type.parts is None or order["parts"] is not None:
            raise TypeError(f"{job_type.name} cannot be done in parts, or its parts in smaller ones") from parts
        return {"kind": "parted", "count": parts.count}
    if not isinstance(result, dict):
        raise TypeError(f"{job_type.name} returned {type(result).__name__}; a job's result is a dict")
    # Refused here, where the job type is still known.
    size = len(_json(result))
    if size > LARGEST_RESULT:
        raise JobFailure(f"The result of {job_type.name} is {size} bytes long; at most {LARGEST_RESULT} are kept.")
    return {"kind": "done", "result": result}


def _do(job_type: JobType, context: ChildContext, payload: Any, part: int | None, count: int | None) -> dict[str, Any]:
    """The job as a whole, one of its parts, or, where these are done, what makes its result of theirs."""
    if count is None:
        return job_type.run(context, payload)
    if job_type.parts is None:
        raise JobFailure(f"The job is done in parts, and {job_type.name} has none on this worker.")
    if part is not None:
        return job_type.parts.run(context, payload, part, count)
    results = context.results()
    if len(results) != count:
        raise JobFailure(f"Results of {count - len(results)} of {count} parts are gone.", hint="Replay the job.")
    return job_type.parts.join(context, payload, results)


def _json(result: dict[str, Any]) -> str:
    try:
        return json.dumps(result, allow_nan=False)
    except ValueError as error:
        if "Out of range" in str(error) and (key := _not_a_number(result)):
            raise ValueError(f"result {key} is NaN or infinite, which JSON does not have") from error
        raise


def _not_a_number(value: Any, path: str = "") -> str | None:
    """The first key whose value JSON cannot hold, as ``metrics.sharpe`` or ``equity[3]``."""
    if isinstance(value, float) and not math.isfinite(value):
        return path
    inner: Iterable[tuple[str, Any]] = ()
    if isinstance(value, dict):
        inner = ((f"{path}.{key}" if path else str(key), each) for key, each in value.items())
    elif isinstance(value, list | tuple):
        inner = ((f"{path}[{number}]", each) for number, each in enumerate(value))
    return next((found for name, each in inner if (found := _not_a_number(each, name)) is not None), None)


def _why_unknown(name: str) -> str:
    broken = [entry.error for entry in registry().quarantined if entry.name == name]
    return f"It is in quarantine: {broken[0]}" if broken else f"It knows {', '.join(registry().types)}."


def _failed(error: BaseException, name: str, *, lost_store: bool) -> dict[str, Any]:
    mark = fingerprint(error)
    waits_for = error if isinstance(error, BreakerOpen) else None
    foreseen = isinstance(error, JobFailure)
    job_type = registry().get(name)
    return {
        "kind": "failed",
        "type": mark.type,
        "message": (" ".join(str(error).split()) or mark.type)[:LONGEST_MESSAGE],
        "traceback": "" if foreseen else "".join(traceback.format_exception(error))[-LONGEST_TRACEBACK:],
        "fingerprint": mark.value if waits_for is None else waiting_for(waits_for.name),
        "final": foreseen or (job_type is not None and isinstance(error, job_type.final)),
        "lost_store": lost_store and isinstance(error, psycopg.Error),
        "wait_s": None if waits_for is None else waits_for.wait_s,
    }


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
