"""Job types that do what jobs should not, for tests only."""

import ctypes
import importlib
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from services.common.backoff import Backoff
from services.common.jobtypes import BreakerPolicy, InParts, JobContext, JobType, Parts, Payload
from services.jobs import download_candles, sweep


class Nothing(Payload):
    pass


class Nap(Payload):
    """``mark``: a file that gets a line at each start, to count executions."""

    seconds: float = 0.05
    mark: str = ""


class Keep(Nap):
    ballast: str = ""


class Pick(Nap):
    """``away``: a file; as long as it is there, the job fails in the way named by ``kind``."""

    away: str
    kind: str


class Return(Payload):
    kind: str


class Call(Payload):
    """``until``: a file to wait for before the call."""

    away: str
    calls: str
    until: str = ""
    open_s: float = 2.0


class Download(download_candles.DownloadCandles):
    """``url``: an exchange of the tests, which Binance is for this job."""

    url: str


class Effect(Payload):
    stays: str = ""
    mark: str = ""


class Part(Nap):
    """The part of the number ``fails`` raises as long as it was started ``times`` times or fewer."""

    count: int = 4
    fails: int = -1
    times: int = 1


class Eat(Payload):
    mb: int = 2048


def _mark(path: str, text: str) -> None:
    if path:
        with Path(path).open("a", encoding="utf-8") as stream:
            stream.write(text + "\n")


def in_parts(ctx: JobContext, payload: Part) -> dict[str, Any]:
    raise InParts(payload.count)


def part(ctx: JobContext, payload: Part, number: int, count: int) -> dict[str, Any]:
    _mark(payload.mark, f"{number} of {count}")
    if number == payload.fails:
        started = Path(payload.mark).read_text(encoding="utf-8").splitlines()
        if started.count(f"{number} of {count}") <= payload.times:
            raise ConnectionResetError(f"in part {number}")
    nap(ctx, Nap(seconds=payload.seconds))
    return {"number": number}


def join(ctx: JobContext, payload: Part, results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    _mark(payload.mark, "join")
    return {"numbers": [result["number"] for result in results]}


def noop(ctx: JobContext, payload: Nothing) -> dict[str, Any]:
    return {}


def nap(ctx: JobContext, payload: Nap) -> dict[str, Any]:
    _mark(payload.mark, str(os.getpid()))
    end = time.monotonic() + payload.seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, 0.1))
        ctx.progress(1 - max(left, 0) / max(payload.seconds, 1e-9), "napping")
    return {"pid": os.getpid()}


def hold_gil(ctx: JobContext, payload: Nap) -> dict[str, Any]:
    # A PyDLL call keeps the GIL: no Python code runs in this process, no signal handler either.
    ctypes.PyDLL(None).usleep(int(payload.seconds * 1e6))
    return {}


def multiply(ctx: JobContext, payload: Nothing) -> dict[str, Any]:
    import numpy as np

    # Beyond 10 000 numbers OpenBLAS would share a sum among its threads.
    numbers = np.arange(100_000, dtype=np.float64)
    return {"squares": float(numbers @ numbers), "threads": psutil.Process().num_threads()}


def eat_memory(ctx: JobContext, payload: Eat) -> dict[str, Any]:
    eaten = []
    for _ in range(payload.mb):
        eaten.append(bytearray(os.urandom(1)) * 1024**2)
        time.sleep(0.001)
    return {"eaten": len(eaten)}


def crash(ctx: JobContext, payload: Nothing) -> dict[str, Any]:
    ctypes.string_at(0)
    return {}


def abort(ctx: JobContext, payload: Nothing) -> dict[str, Any]:
    os.abort()


def leave(ctx: JobContext, payload: Nothing) -> dict[str, Any]:
    os._exit(3)


def stubborn(ctx: JobContext, payload: Nap) -> dict[str, Any]:
    """Does not end when asked to."""
    end = time.monotonic() + payload.seconds
    while time.monotonic() < end:
        try:
            time.sleep(0.1)
        except BaseException:  # noqa: BLE001, S112 - the very point
            continue
    return {}


def forker(ctx: JobContext, payload: Nap) -> dict[str, Any]:
    """Starts a process of its own and waits for it."""
    child = subprocess.Popen(["sleep", str(payload.seconds)])
    _mark(payload.mark, str(child.pid))
    child.wait()
    return {}


def half_word(ctx: JobContext, payload: Nothing) -> dict[str, Any]:
    """Says to the worker that a long word follows, and says no more: whoever reads it waits for ever."""
    os.write(int(sys.argv[1]), struct.pack("!i", 1000))
    while True:
        time.sleep(60)


def raiser(ctx: JobContext, payload: Nothing) -> dict[str, Any]:
    raise ZeroDivisionError("one by zero")


def flaky(ctx: JobContext, payload: Nap) -> dict[str, Any]:
    """Fails at its first two starts."""
    _mark(payload.mark, "start")
    starts = len(Path(payload.mark).read_text(encoding="utf-8").splitlines())
    if starts < 3:
        raise ConnectionResetError(f"start {starts}")
    return {"starts": starts}


def hopeless(ctx: JobContext, payload: Nap) -> dict[str, Any]:
    """Fails in a way that its type declares final."""
    _mark(payload.mark, "start")
    raise LookupError("no such symbol")


def lose_connection(ctx: JobContext, payload: Nap) -> dict[str, Any]:
    """Loses its connection at the first start only, and uses another before it reports that."""
    first = not Path(payload.mark).exists()
    _mark(payload.mark, str(os.getpid()))
    try:
        ctx.store.execute("SELECT pg_terminate_backend(pg_backend_pid())" if first else "SELECT 1")
    finally:
        ctx.store.execute("SELECT 1")
    return {}


def backend(ctx: JobContext, payload: Nothing) -> dict[str, Any]:
    """The process of Postgres that serves this job."""
    (pid,) = ctx.store.execute("SELECT pg_backend_pid()").fetchone() or (0,)
    return {"pid": pid}


def caller(ctx: JobContext, payload: Call) -> dict[str, Any]:
    """Call a service, which is away as long as the file ``away`` is there; ``calls`` gets a line for each call."""
    while payload.until and not Path(payload.until).exists():
        time.sleep(0.05)
    with ctx.breaker("market-data", (ConnectionError,), BreakerPolicy(3, payload.open_s, payload.open_s)):
        _mark(payload.calls, "away" if Path(payload.away).exists() else "back")
        if Path(payload.away).exists():
            raise ConnectionError("the service is away")
    return {}


def keeper(ctx: JobContext, payload: Keep) -> dict[str, Any]:
    """Needs its connection to Postgres, before it has begun."""
    ctx.store.execute("SELECT 1")
    return nap(ctx, payload)


def picky(ctx: JobContext, payload: Pick) -> dict[str, Any]:
    _mark(payload.mark, "start")
    if Path(payload.away).exists():
        raise {"value": ValueError, "key": KeyError, "os": OSError}[payload.kind]("away")
    return {}


def returns(ctx: JobContext, payload: Return) -> Any:
    """What no result can be."""
    results: dict[str, Any] = {
        "nan": {"value": float("nan")},
        "huge": {"text": "x" * 20 * 1024**2},
        "object": {"value": object()},
        "bytes": {"value": b"bytes"},
        "list": [1, 2],
        "nothing": None,
        "nul": {"text": "a\0b"},
        "surrogate": {"text": "a\ud800"},
    }
    return results[payload.kind]


def download(ctx: JobContext, payload: Download) -> dict[str, Any]:
    """The real one, at an exchange of the tests."""
    import pytest

    from tests.services.jobs.exchange.fake import point_at

    with pytest.MonkeyPatch.context() as patch:
        point_at(payload.url, patch)
        return download_candles.run(ctx, payload)


def poison(ctx: JobContext, payload: Nap) -> dict[str, Any]:
    """Kills its own process, once its memory was seen."""
    eaten = os.urandom(1) * 64 * 1024**2
    time.sleep(payload.seconds)
    os.kill(os.getpid(), signal.SIGKILL)
    return {"eaten": len(eaten)}


def effect(ctx: JobContext, payload: Effect) -> dict[str, Any]:
    """Write a line that says for whom; at its first start, stay for ever at one step of that."""

    def step(name: str) -> None:
        if name == payload.stays and not Path(payload.mark).exists():
            _mark(payload.mark, str(os.getpid()))
            time.sleep(3600)

    step("before")
    with ctx.effect("line") as connection:
        if connection is not None:
            connection.execute("INSERT INTO line (job_id) VALUES (%s)", (ctx.job_id,))
        step("inside")
    step("after")
    return {"wrote": connection is not None}


def sabotage(names: str, flag: Path) -> None:
    """Have methods (``module.Class.method``, separated by spaces) raise as soon as the file ``flag`` exists.

    Job types are loaded into the worker itself, so that this breaks whatever thread calls them.
    """
    for name in names.split():
        module, owner, method = name.rsplit(".", 2)
        found = getattr(importlib.import_module(f"services.worker.{module}"), owner)
        setattr(found, method, _failing(getattr(found, method), flag))


def _failing(real: Callable[..., Any], flag: Path) -> Callable[..., Any]:
    def method(*arguments: Any) -> Any:
        if flag.exists():
            raise RuntimeError("sabotage")
        return real(*arguments)

    return method


def set_clock(off_s: float) -> None:
    """Let this process see another time, as on a host whose clock is wrong."""
    true = time.time
    time.time = lambda: true() + off_s


if "CLOCK_OFF_S" in os.environ:
    set_clock(float(os.environ["CLOCK_OFF_S"]))
if "SABOTAGE" in os.environ:
    sabotage(os.environ["SABOTAGE"], Path(os.environ["SABOTAGE_FLAG"]))

QUICKLY = Backoff(0.2, 0.5)

NOOP = JobType("noop", 1, Nothing, noop)
NAP = JobType("nap", 1, Nap, nap)
NAP_LONG = JobType("nap_long", 1, Nap, nap, timeout_s=1200, long=True)
HOLD_GIL = JobType("hold_gil", 1, Nap, hold_gil, timeout_s=60)
MULTIPLY = JobType("multiply", 1, Nothing, multiply)
EAT_MEMORY = JobType("eat_memory", 1, Eat, eat_memory, backoff=QUICKLY)
CRASH = JobType("crash", 1, Nothing, crash, backoff=QUICKLY)
ABORT = JobType("abort", 1, Nothing, abort, backoff=QUICKLY)
LEAVE = JobType("leave", 1, Nothing, leave, backoff=QUICKLY)
STUBBORN = JobType("stubborn", 1, Nap, stubborn, timeout_s=2, backoff=QUICKLY)
STUBBORN_LONG = JobType("stubborn_long", 1, Nap, stubborn, timeout_s=60)
FORKER = JobType("forker", 1, Nap, forker, timeout_s=2, max_attempts=1)
HALF_WORD = JobType("half_word", 1, Nothing, half_word, timeout_s=5)
RAISER = JobType("raiser", 1, Nothing, raiser, backoff=QUICKLY)
FLAKY = JobType("flaky", 1, Nap, flaky, backoff=QUICKLY)
HOPELESS = JobType("hopeless", 1, Nap, hopeless, backoff=QUICKLY, final=(LookupError,))
LOSE_CONNECTION = JobType("lose_connection", 1, Nap, lose_connection)
BACKEND = JobType("backend", 1, Nothing, backend)
CALLER = JobType("caller", 1, Call, caller, backoff=QUICKLY)
POISON = JobType("poison", 1, Nap, poison)
EFFECT = JobType("effect", 1, Effect, effect)
KEEPER = JobType("keeper", 1, Keep, keeper, backoff=QUICKLY)
DOWNLOAD = JobType("download", 1, Download, download, timeout_s=600, long=True, backoff=QUICKLY)
PICKY = JobType("picky", 1, Pick, picky)
RETURNS = JobType("returns", 1, Return, returns, backoff=QUICKLY)
PARTED = JobType("parted", 1, Part, in_parts, long=True, backoff=QUICKLY, parts=Parts(part, join))
SPLITS_WITHOUT_PARTS = JobType("splits_without_parts", 1, Part, in_parts)
#: A sweep of any size in three parts.
SWEEP_IN_PARTS = replace(sweep.JOB, name="sweep_in_parts", run=lambda ctx, payload: in_parts(ctx, Part(count=3)))


def in_one_piece(ctx: JobContext, payload: Any) -> dict[str, Any]:
    asked = sweep.asked(ctx, payload)
    return asked.result(asked.figures(ctx, asked.grid))


#: A sweep by one worker, however long it takes.
SWEEP_IN_ONE_PIECE = replace(sweep.JOB, name="sweep_in_one_piece", run=in_one_piece)
