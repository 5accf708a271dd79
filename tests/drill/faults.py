"""Faults in a running stack, each undone when its block ends, whatever happens inside."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import psutil
import psycopg
import redis

from tests.integration.tradebot import Tradebot
from tests.waiting import until
from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError

Breaking = Callable[[Tradebot, Ops], contextlib.AbstractContextManager[None]]


@dataclass(frozen=True)
class Fault:
    """``alerts`` must fire; ``also`` may: what follows from the fault itself.

    ``hides_store``: while it lasts, the store can take nothing. ``at_once`` False: the alert looks back over many
    minutes, so that its end is looked for at the end of the whole drill; ``lasting``: over an hour, so that nobody
    waits for it. ``deaf``: Alertmanager is what is broken, so that Prometheus alone knows, and nobody is told by the
    stack itself.
    """

    name: str
    breaking: Breaking
    alerts: tuple[str, ...]
    also: frozenset[str] = frozenset()
    within: float = 120.0
    hides_store: bool = False
    at_once: bool = True
    lasting: bool = False
    deaf: bool = False


def stopped(*services: str) -> Breaking:
    @contextlib.contextmanager
    def breaking(stack: Tradebot, _ops: Ops) -> Iterator[None]:
        stack.ok("stop", *services)
        try:
            yield
        finally:
            stack.ok("start", *services)

    return breaking


def hung(service: str) -> Breaking:
    """Every process of it stands still: connections are taken by the kernel, and nobody answers."""

    @contextlib.contextmanager
    def breaking(stack: Tradebot, _ops: Ops) -> Iterator[None]:
        with frozen(processes(stack, f"{service}-1")):
            yield

    return breaking


def processes(stack: Tradebot, replica: str) -> list[psutil.Process]:
    """All that a replica consists of; in a container the first is its init, which has nothing to say."""
    first = psutil.Process(stack.pid(replica))
    return [first, *first.children(recursive=True)]


@contextlib.contextmanager
def frozen(processes: list[psutil.Process]) -> Iterator[None]:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):  # it ended meanwhile, as a probe does
            process.suspend()
    try:
        yield
    finally:
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()


@contextlib.contextmanager
def one_worker_hung(stack: Tradebot, _ops: Ops) -> Iterator[None]:
    """Not killed: the supervisor would start it again within a second."""
    with frozen(processes(stack, "worker-2")):
        yield


@contextlib.contextmanager
def long_queue(stack: Tradebot, ops: Ops) -> Iterator[None]:
    """170 jobs behind two that take their time on any machine; what is left is cancelled."""
    test = {"symbol": "AAPL", "strategy": "sma_cross", "fast": 10, "slow": 30}
    slow = [each for name in ("worker-1", "worker-2") for each in job_processes(stack, name)]
    jobs: list[str] = []
    try:
        with frozen(slow):
            jobs += (ops.api.submit("backtest", test)["id"] for _ in range(170))
            yield
    finally:
        for job in reversed(jobs):
            with contextlib.suppress(OpsError):  # it ended meanwhile
                ops.api.cancel(job)


def job_processes(stack: Tradebot, replica: str) -> list[psutil.Process]:
    worker = psutil.Process(stack.pid(replica))
    return until(lambda: worker.children(recursive=True), f"{replica} has a process for jobs")


@contextlib.contextmanager
def failing_backtests(_stack: Tradebot, ops: Ops) -> Iterator[None]:
    for _ in range(14):
        ops.api.submit("backtest", {"symbol": "NOSUCH", "strategy": "sma_cross", "fast": 10, "slow": 30})
    yield


@contextlib.contextmanager
def slow_api(stack: Tradebot, ops: Ops) -> Iterator[None]:
    """Somebody locks the jobs' table for two seconds at a time, while clients list jobs."""
    stop = threading.Event()
    threads = [threading.Thread(target=_locking, args=(postgres(stack, ops), stop), daemon=True)]
    base = f"http://{ops.engine.endpoint('api', 8010)}"
    threads += [threading.Thread(target=_asking, args=(base, stop), daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(20)


def _locking(address: str, stop: threading.Event) -> None:
    with psycopg.connect(address) as connection:
        while not stop.is_set():
            with connection.transaction():
                connection.execute("LOCK TABLE job IN ACCESS EXCLUSIVE MODE")
                stop.wait(2.0)
            stop.wait(0.1)


def _asking(base: str, stop: threading.Event) -> None:
    with httpx.Client(base_url=base, timeout=20, trust_env=False) as client:
        while not stop.is_set():
            with contextlib.suppress(httpx.HTTPError):
                client.get("/jobs", params={"limit": 1})
            stop.wait(0.1)


@contextlib.contextmanager
def no_heartbeats(_stack: Tradebot, ops: Ops) -> Iterator[None]:
    """Redis refuses the command a heartbeat needs; everything else goes on, the workers' metrics as well."""
    with redis_client(ops) as client:
        client.execute_command("ACL", "SETUSER", "default", "-zadd")
        try:
            yield
        finally:
            client.execute_command("ACL", "LOAD")


@contextlib.contextmanager
def redis_refuses_its_exporter(_stack: Tradebot, ops: Ops) -> Iterator[None]:
    with redis_client(ops) as client:
        client.execute_command("ACL", "SETUSER", "exporter", "off")
        client.execute_command("CLIENT", "KILL", "USER", "exporter")
        try:
            yield
        finally:
            client.execute_command("ACL", "LOAD")


@contextlib.contextmanager
def postgres_refuses_its_exporter(stack: Tradebot, ops: Ops) -> Iterator[None]:
    with psycopg.connect(postgres(stack, ops), autocommit=True) as connection:
        connection.execute("ALTER ROLE exporter NOLOGIN")
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'exporter'")
        try:
            yield
        finally:
            connection.execute("ALTER ROLE exporter LOGIN")


@contextlib.contextmanager
def redis_full_of_clients(_stack: Tradebot, ops: Ops) -> Iterator[None]:
    """For a moment: until it has turned five away."""
    with redis_client(ops) as client:
        before = client.config_get("maxclients")
        client.config_set("maxclients", 40)
        address = ops.engine.endpoint("redis", 6379)
        try:
            with contextlib.ExitStack() as opened:
                while client.info("stats")["rejected_connections"] < 5:
                    opened.enter_context(socket.create_connection((address.host, address.port), timeout=5))
        finally:
            client.config_set("maxclients", before["maxclients"])
        yield


@contextlib.contextmanager
def redis_client(ops: Ops) -> Iterator[Any]:
    """As the user who may do everything."""
    address = ops.engine.endpoint("redis", 6379)
    with contextlib.closing(
        redis.Redis(host=address.host, port=address.port, password=ops.secret("redis_password").reveal())
    ) as client:
        yield client


def postgres(_stack: Tradebot, ops: Ops) -> str:
    address = ops.engine.endpoint("postgres", 5432)
    password = ops.secret("postgres_password").reveal()
    return f"postgresql://tradebot:{password}@{address.host}:{address.port}/tradebot"
