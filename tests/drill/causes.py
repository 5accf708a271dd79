"""A real fault for each cause that `diag explain` must name, made and unmade on a running stack."""

import contextlib
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
import redis

from tests.drill.faults import Breaking, frozen, hung, long_queue, postgres, stopped
from tests.drill.sabotage.every import every
from tests.drill.sabotage.fault import editing, sql
from tests.drill.sabotage.services import scaled
from tests.integration.tradebot import Tradebot
from tests.waiting import until
from tradebot_ops.context import Ops

_NO_DEAD = sql("DELETE FROM job WHERE state = 'dead'")


@dataclass(frozen=True)
class Case:
    """While ``breaking`` lasts, ``cause`` is ranked first. ``noisy``: the same beside what is unrelated, too;
    ``blind``: what takes the evidence out of reach, so that no cause may be named.
    """

    cause: str
    breaking: Breaking
    noisy: bool = False
    blind: Breaking | None = None
    sample: bool = False


def sabotage(name: str) -> Breaking:
    """The same fault that `prod-check` is tried with."""
    (fault,) = [fault for faults in every().values() for fault in faults if fault.name == name]

    @contextmanager
    def breaking(stack: Tradebot, _ops: Ops) -> Iterator[None]:
        try:
            fault.inject(stack)
            yield
        finally:
            fault.mend(stack)

    return breaking


def both(*parts: Breaking) -> Breaking:
    @contextmanager
    def breaking(stack: Tradebot, ops: Ops) -> Iterator[None]:
        with ExitStack() as broken:
            for each in parts:
                broken.enter_context(each(stack, ops))
            yield

    return breaking


@contextmanager
def noise(stack: Tradebot, ops: Ops) -> Iterator[None]:
    """What nobody should be woken for: an exporter is gone, and the API was started anew."""
    stack.ok("restart", "api")
    with stopped("redis-exporter")(stack, ops):
        yield


@contextmanager
def without_password(stack: Tradebot, ops: Ops, name: str) -> Iterator[None]:
    """Whoever diagnoses cannot log in; the services, which have theirs, go on."""
    file = ops.secret_file(name)
    text = file.read_text(encoding="utf-8")
    file.write_text("another-one", encoding="utf-8")
    try:
        yield
    finally:
        file.write_text(text, encoding="utf-8")


def locked_out(name: str) -> Breaking:
    return lambda stack, ops: without_password(stack, ops, name)


@contextmanager
def supervisor_hung(stack: Tradebot, _ops: Ops) -> Iterator[None]:
    """What knows which replicas run does not answer."""
    (file,) = stack.state.rglob("supervisord.pid")
    with frozen([psutil.Process(int(file.read_text(encoding="ascii")))]):
        yield


@contextmanager
def redis_as_owner(ops: Ops) -> Iterator[redis.Redis]:
    address, password = ops.engine.endpoint("redis", 6379), ops.secret("redis_password").reveal()
    with closing(redis.Redis(host=address.host, port=address.port, password=password)) as client:
        yield client


@contextmanager
def redis_full(_stack: Tradebot, ops: Ops) -> Iterator[None]:
    """Its limit is a little more than what it holds."""
    with redis_as_owner(ops) as client:
        client.config_set("maxmemory", int(client.info("memory")["used_memory"] * 1.02))
        try:
            yield
        finally:
            client.config_set("maxmemory", "512mb")


@contextmanager
def snapshot_fails(_stack: Tradebot, ops: Ops) -> Iterator[None]:
    """A folder lies where the file belongs."""
    with redis_as_owner(ops) as client:
        place = Path(ops.redis.config("dir")["dir"]) / ops.redis.config("dbfilename")["dbfilename"]
        place.mkdir()
        (place / "in the way").touch()
        try:
            client.bgsave()
            yield
        finally:
            (place / "in the way").unlink()
            place.rmdir()
            client.bgsave()
            _snapshot_ends(client)
            place.unlink()


def _snapshot_ends(client: redis.Redis) -> None:
    until(lambda: client.info("persistence")["rdb_bgsave_in_progress"] == 0, "the snapshot ends")


@contextmanager
def append_fails(_stack: Tradebot, ops: Ops) -> Iterator[None]:
    """Its next file lies on a device that is always full."""
    with redis_as_owner(ops) as client:
        folder = Path(ops.redis.config("dir")["dir"]) / "appendonlydir"
        number = max(int(file.name.split(".")[-3]) for file in folder.glob("*.incr.aof")) + 1
        place = folder / f"appendonly.aof.{number}.incr.aof"
        place.symlink_to("/dev/full")
        try:
            client.bgrewriteaof()
            yield
        finally:
            place.unlink(missing_ok=True)
            client.config_set("appendonly", "no")
            client.config_set("appendonly", "yes")
            until(lambda: client.info("persistence")["aof_last_write_status"] == "ok", "Redis appends again")


@contextmanager
def connections_taken(stack: Tradebot, ops: Ops) -> Iterator[None]:
    """By clients of the services' own account, until Postgres has none left for it."""
    with ExitStack() as open_:
        with contextlib.suppress(psycopg.OperationalError):
            while True:
                open_.enter_context(psycopg.connect(app(stack, ops)))
        yield


def app(_stack: Tradebot, ops: Ops) -> str:
    address = ops.engine.endpoint("postgres", 5432)
    password = ops.secret("postgres_app_password").reveal()
    return f"postgresql://tradebot_app:{password}@{address.host}:{address.port}/tradebot"


@contextmanager
def locked(stack: Tradebot, ops: Ops) -> Iterator[None]:
    """A session forgot to end its transaction, and another waits for it."""
    address = postgres(stack, ops)
    with closing(psycopg.connect(address)) as waiting, closing(psycopg.connect(address)) as forgotten:
        forgotten.execute("LOCK TABLE job IN ACCESS EXCLUSIVE MODE")
        waiting.pgconn.send_query(b"SELECT count(*) FROM job")
        yield


@contextmanager
def crash_loop(stack: Tradebot, _ops: Ops) -> Iterator[None]:
    """A setting was changed to one that the worker refuses at its start."""
    change, back = editing("compose.yaml", "JOB_MEMORY_LIMIT: ${JOB_MEMORY_LIMIT:-819mb}", "JOB_MEMORY_LIMIT: plenty")
    change(stack)
    try:
        stack.run("up", "worker", timeout=300)
        yield
    finally:
        back(stack)
        stack.ok("up", "worker", timeout=300)


@contextmanager
def killed_for_memory(stack: Tradebot, _ops: Ops) -> Iterator[None]:
    """A job may use less memory than Python alone needs."""
    stack.environ["JOB_MEMORY_LIMIT"] = "16mb"
    try:
        stack.run("up", "worker", timeout=300)
        job = stack.submit("backtest", "symbol=AAPL", "strategy=sma_cross", "fast=10", "slow=30")
        assert stack.ended(job, 120)["state"] == "dead"
        yield
    finally:
        del stack.environ["JOB_MEMORY_LIMIT"]
        stack.ok("up", "worker", timeout=300)
        _NO_DEAD(stack)


@contextmanager
def poisoned(stack: Tradebot, _ops: Ops) -> Iterator[None]:
    jobs = [stack.submit("backtest", "symbol=NOSUCH", "strategy=sma_cross", "fast=10", "slow=30") for _ in range(4)]
    try:
        assert {stack.ended(job)["state"] for job in jobs} == {"dead"}
        yield
    finally:
        _NO_DEAD(stack)


@contextmanager
def one_worker_less(stack: Tradebot, _ops: Ops) -> Iterator[None]:
    less, more = scaled(1, 2)
    less(stack)
    try:
        yield
    finally:
        more(stack)


@contextmanager
def drained(stack: Tradebot, _ops: Ops) -> Iterator[None]:
    """Somebody drained every worker and forgot to let them take jobs again."""
    workers = [each["name"] for each in stack.json("workers", "list")]
    for name in workers:
        stack.ok("workers", "drain", name, "--wait", "--reason", "an upgrade")
    job = stack.submit("canary", "nonce=x")
    try:
        yield
    finally:
        for name in workers:
            stack.ok("workers", "resume", name)
        assert stack.ended(job)["state"] == "succeeded"


@contextmanager
def all_stopped(stack: Tradebot, _ops: Ops) -> Iterator[None]:
    stack.ok("stop")
    try:
        yield
    finally:
        stack.ok("start", timeout=300)


CASES = (
    Case("redis-down", sabotage("Redis stopped"), noisy=True, blind=supervisor_hung),
    Case("redis-hung", hung("redis"), noisy=True),
    Case("redis-full", redis_full, noisy=True, blind=locked_out("redis_password")),
    Case("redis-evicting", sabotage("eviction on"), noisy=True, blind=locked_out("redis_password"), sample=True),
    Case("redis-append-fails", append_fails),
    Case("redis-snapshot-fails", snapshot_fails),
    Case("redis-keeps-nothing", sabotage("AOF off"), sample=True),
    Case("postgres-down", sabotage("Postgres stopped"), noisy=True),
    Case("postgres-hung", hung("postgres"), noisy=True),
    Case("postgres-connections-taken", connections_taken),
    Case("postgres-locked", locked, noisy=True, blind=locked_out("postgres_password")),
    Case("workers-gone", sabotage("every worker stopped"), noisy=True),
    Case("workers-idle", sabotage("workers alive and idle")),
    Case("workers-drained", drained, noisy=True),
    Case("worker-hung", sabotage("a worker that hangs"), noisy=True),
    Case("worker-killed-for-memory", killed_for_memory),
    Case("job-poisoned", poisoned, noisy=True, blind=locked_out("postgres_password")),
    Case("crash-loop", crash_loop),
    Case("more-work", long_queue),
    Case("fewer-workers", both(sabotage("a long queue"), one_worker_less), noisy=True),
    Case("api-down", sabotage("API stopped")),
    Case("api-hung", hung("api")),
    Case("prometheus-hung", hung("prometheus")),
    Case("prometheus-blind", sabotage("Prometheus stopped")),
    Case("alertmanager-deaf", sabotage("Alertmanager stopped")),
    Case("alertmanager-hung", hung("alertmanager")),
    Case("nothing-runs", all_stopped),
)
