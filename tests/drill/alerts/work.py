"""Faults of jobs and workers, none of which takes a worker away for good."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress

import httpx
import psutil
import psycopg

from tests.drill.alerts.drilling import patient
from tests.drill.alerts.stores import redis_refuses
from tests.drill.faults import frozen, job_processes, postgres, redis_client
from tests.integration.tradebot import Tradebot
from tests.waiting import until
from tradebot_ops.clients.redis import WORKERS_DESIRED
from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError

Broken = Callable[[Tradebot, Ops], AbstractContextManager[None]]


@contextmanager
def meanwhile(act: Callable[[threading.Event], None]) -> Iterator[None]:
    """``act`` runs beside, until the event that it gets is set."""
    over = threading.Event()
    thread = threading.Thread(target=act, args=(over,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(60)


def connections_break(times: int) -> Broken:
    """So many jobs lose Postgres while they work: each waits, is tried again and succeeds."""

    @contextmanager
    def breaking(stack: Tradebot, ops: Ops) -> Iterator[None]:
        jobs = [ops.api.submit("canary", {"nonce": f"drill-{number}"})["id"] for number in range(times)]
        lost = 0
        with psycopg.connect(postgres(stack, ops)) as holding, psycopg.connect(postgres(stack, ops)) as admin:
            admin.autocommit = True
            holding.execute("LOCK TABLE series IN ACCESS EXCLUSIVE MODE")

            def ended() -> bool:
                nonlocal lost
                lost += len(
                    admin.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE application_name = 'job' AND wait_event_type = 'Lock'"
                    ).fetchall()
                )
                return lost >= times

            until(ended, f"{times} jobs lose their connection", 240)
        for job in jobs:
            until(lambda job=job: ops.api.job(job)["state"] == "succeeded", "the jobs succeed", 240)  # type: ignore[misc]
        yield

    return breaking


@contextmanager
def job_that_hangs(stack: Tradebot, ops: Ops) -> Iterator[None]:
    """The processes in which jobs run stand still; their workers go on."""
    children = [each for name in ("worker-1", "worker-2") for each in job_processes(stack, name)]
    with frozen(children):
        job = ops.api.submit("backtest", {"symbol": "AAPL", "strategy": "sma_cross", "fast": 10, "slow": 30})["id"]
        try:
            until(lambda: ops.api.job(job)["state"] == "running", "the job is at work")
            yield
        finally:
            with suppress(OpsError):  # it ended meanwhile
                ops.api.cancel(job)


@contextmanager
def nobody_fetches(stack: Tradebot, ops: Ops) -> Iterator[None]:
    """Jobs wait beside workers that beat: Redis refuses the command by which they fetch."""
    with redis_refuses("evalsha")(stack, ops):
        job = ops.api.submit("canary", {"nonce": "drill"})["id"]
        yield
    stack.ended(job, 120)


@contextmanager
def api_that_fails(stack: Tradebot, ops: Ops) -> Iterator[None]:
    """Clients ask for circuit breakers, which Redis keeps and does not give."""
    base = f"http://{ops.engine.endpoint('api', 8010)}"

    def ask(over: threading.Event) -> None:
        with httpx.Client(base_url=base, timeout=20, trust_env=False) as client:
            while not over.wait(1.0):
                with suppress(httpx.HTTPError):
                    client.get("/breakers")

    with redis_refuses("smembers")(stack, ops), meanwhile(ask):
        yield


@contextmanager
def worker_killed_again_and_again(stack: Tradebot, ops: Ops) -> Iterator[None]:
    """Its supervisor starts it each time; killed once Prometheus has seen it."""
    seen: set[float] = set()

    def act(over: threading.Event) -> None:
        while not over.wait(1.0) and len(seen) < 5:
            with suppress(OpsError):
                started = _value(ops, 'process_start_time_seconds{instance="worker-2"} and up == 1')
                if started is not None and started not in seen:
                    seen.add(started)
                    psutil.Process(stack.pid("worker-2")).kill()

    with meanwhile(act):
        yield


@contextmanager
def exporter_up_and_down(stack: Tradebot, ops: Ops) -> Iterator[None]:
    """It misses one scrape and answers the next one, over and over."""
    exporter = psutil.Process(stack.pid("node-exporter-1"))

    def act(over: threading.Event) -> None:
        while not over.wait(0.5):
            with frozen([exporter]):
                _until_up(ops, 0, over)
            _until_up(ops, 1, over)

    with meanwhile(act):
        yield


def _until_up(ops: Ops, value: int, over: threading.Event) -> None:
    while not over.wait(0.5):
        with suppress(OpsError):
            if _value(ops, 'up{job="node"}') == value:
                return


def _value(ops: Ops, expression: str) -> float | None:
    found = ops.prometheus.query(expression)
    return found[0].value if found else None


@contextmanager
def little_memory_for_jobs(stack: Tradebot, _ops: Ops) -> Iterator[None]:
    """A job may use hardly more than a process that waits for its first one."""
    stack.ok("restart", "worker", timeout=300)
    stack.environ["JOB_MEMORY_LIMIT"] = f"{int(_settled(job_processes(stack, 'worker-1')) * 1.05 / 1024)}kb"
    try:
        stack.ok("up", "worker", timeout=300)
        yield
    finally:
        del stack.environ["JOB_MEMORY_LIMIT"]
        stack.ok("up", "worker", timeout=300)


def _settled(processes: list[psutil.Process]) -> int:
    """Memory of the largest, once it has all that it begins with."""

    def unchanged() -> int:
        before = max(each.memory_info().rss for each in processes)
        time.sleep(3)
        return before if before == max(each.memory_info().rss for each in processes) else 0

    return until(unchanged, "a process for jobs is ready", 120)


def desired(value: int | None) -> Broken:
    """Redis knows another number of wanted workers than `scale` told it, or none."""

    @contextmanager
    def breaking(_stack: Tradebot, ops: Ops) -> Iterator[None]:
        with redis_client(ops) as client:
            before = client.get(WORKERS_DESIRED)
            if value is None:
                client.delete(WORKERS_DESIRED)
            else:
                client.set(WORKERS_DESIRED, value)
            try:
                yield
            finally:
                client.set(WORKERS_DESIRED, before)

    return breaking


def in_postgres(make: str, unmake: str) -> Broken:
    @contextmanager
    def breaking(stack: Tradebot, ops: Ops) -> Iterator[None]:
        with closing(psycopg.connect(postgres(stack, ops), autocommit=True)) as admin:
            admin.execute(make.encode())
            try:
                yield
            finally:
                admin.execute(unmake.encode())

    return breaking


#: The first of them is over when the second begins.
HANGS = (
    patient("25 jobs lose Postgres once", connections_break(25), ("WorkerErrors",), at_once=False),
    patient("job that hangs", job_that_hangs, ("BacktestTakingTooLong",)),
)
COME_AND_GO = (
    patient("70 more lose it", connections_break(70), ("JobsRetriedOften",), at_once=False),
    patient("exporter up and down", exporter_up_and_down, ("TargetFlapping",), at_once=False),
    patient("API that fails", api_that_fails, ("HighErrorRate",), frozenset({"RedisOperationsFailing"}), at_once=False),
)
KILLED = patient(
    "worker killed again and again",
    worker_killed_again_and_again,
    ("ProcessRestartLoop",),
    at_once=False,
    lasting=True,
)
NOBODY_FETCHES = patient(
    "nobody fetches jobs", nobody_fetches, ("QueueStalled", "RedisOperationsFailing"), at_once=False
)
NOBODY_KNOWS = patient("nobody knows how many workers", desired(None), ("WorkersDesiredUnknown",))
ONE_FEWER = patient("one worker fewer than wanted", desired(3), ("WorkersBelowDesired",))
#: It starts the workers three times, once after the other.
LITTLE_MEMORY = patient(
    "little memory for jobs",
    little_memory_for_jobs,
    ("WorkerMemoryHigh",),
    frozenset({"TargetFlapping", "ProcessRestartLoop"}),
)
