"""How fast jobs go, next to bare Dramatiq: ``python -m tests.bench.jobs [--rounds 5] [--jobs 400] [--finished 0]``.

``--finished 1000000`` puts so many finished jobs into the ledger first, and a tenth as many dead ones.

Starts its own Postgres (which syncs to disk) and Redis. Rounds are interleaved, both workers use the same
number of consumer threads, and every job's outcome is checked.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import dramatiq
import psycopg

from services.common.database import Database
from services.common.ledger import DeadLetters, Ledger, State
from services.common.migrate import migrate
from services.common.settings import Settings
from services.common.transport import Transport, make_broker
from services.worker.consumer import THREADS
from tests.integration.parts import Part, make_postgres, make_redis, make_settings, private_folder
from tests.integration.worker.rig import Desk, WorkerPart, install_job_types
from tests.paths import ROOT
from tests.services.past_jobs import add_dead, add_ended

BARE_QUEUE = "bare"


def main() -> int:
    arguments = _arguments()
    with ExitStack() as stack:
        settings = stack.enter_context(servers())
        fill(settings, arguments.finished)
        desk = stack.enter_context(desk_of(settings))
        ratios, naps = [], []
        for number in range(arguments.rounds):
            bare = bare_rate(settings, arguments.jobs)
            ours = ledger_rate(settings, desk, "noop", arguments.jobs, {})
            nap = ledger_rate(settings, desk, "nap", max(arguments.jobs // 8, 20), {"seconds": 0.05})
            ratios.append(ours / bare)
            naps.append(nap / 20)
            load = os.getloadavg()[0]
            print(f"round {number + 1}: bare {bare:.0f}/s  ours {ours:.0f}/s  ratio {ours / bare:.2f}"
                  f"  50 ms jobs {nap:.1f}/s = {nap / 20:.2f} of 20/s  load {load:.1f}")  # fmt: skip
    print(f"median: no-op {statistics.median(ratios):.2f} x bare Dramatiq (target 1.8),"
          f" 50 ms jobs {statistics.median(naps):.2f} x 20/s (target 0.95)")  # fmt: skip
    return 0


@contextmanager
def servers() -> Iterator[Settings]:
    """Postgres and Redis of our own, the database migrated."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgres = make_postgres(stack.enter_context(_folder("postgres")))
        redis = make_redis(stack.enter_context(_folder("redis")))
        # As the stack runs it, not as tests do.
        for test, real in (("fsync=off", "fsync=on"), ("shared_buffers=32MB", "shared_buffers=256MB")):
            postgres.command = [word.replace(test, real) for word in postgres.command]
        for part in (postgres, redis):
            stack.enter_context(_running(part))
        settings = make_settings(postgres, redis, folder)
        migrate(settings)
        yield settings


def fill(settings: Settings, finished: int) -> None:
    dsn = settings.postgres_dsn("bench", statement_timeout_s=0).get_secret_value()
    with psycopg.connect(dsn, autocommit=True) as connection:
        for start in range(1, finished, 100_000):
            add_ended(connection, range(start, min(start + 100_000, finished + 1)))
        add_dead(connection, range(1, finished // 10 + 1))
        connection.execute("VACUUM ANALYZE")


@contextmanager
def desk_of(settings: Settings) -> Iterator[Desk]:
    database = Database(settings, "bench")
    database.open()
    try:
        yield Desk(Ledger(database), DeadLetters(database), Transport(make_broker(settings)))
    finally:
        database.close()


def ledger_rate(settings: Settings, desk: Desk, job_type: str, jobs: int, payload: dict[str, Any]) -> float:
    """Jobs per second of one worker: queued before it starts, timed between the first and the last end."""
    with tempfile.TemporaryDirectory() as folder:
        plugins = install_job_types(Path(folder) / "plugins")
        ids = [desk.submit(job_type, **payload) for _ in range(jobs)]
        worker = WorkerPart(settings, plugins, Path(folder) / "log", environment={"LOG_LEVEL": "warning"})
        worker.start()
        try:
            last = desk.wait_for(ids[-1], within_s=300)
            _wait_all(desk, ids)
        finally:
            worker.stop()
        done = [desk.job(job_id) for job_id in ids]
        assert all(job.state is State.SUCCEEDED for job in done), last
    ends = sorted(job.finished_at for job in done if job.finished_at)
    # The first few warm up the connection and the process.
    skip = jobs // 10
    return (len(ends) - 1 - skip) / (ends[-1] - ends[skip]).total_seconds()


def bare_rate(settings: Settings, jobs: int) -> float:
    """Messages per second of Dramatiq alone with its own prefetch, on the same Redis, doing nothing."""
    broker: dramatiq.Broker = make_broker(settings)
    broker.declare_queue(BARE_QUEUE)
    for _ in range(jobs):
        broker.enqueue(dramatiq.Message(BARE_QUEUE, "bare", (), {}, {}))
    code = subprocess.run(
        [sys.executable, "-m", "tests.bench.bare_dramatiq", str(jobs), str(THREADS)],
        cwd=ROOT, env={**os.environ, **_redis(settings)},
        capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    return float(code.stdout)


def _redis(settings: Settings) -> dict[str, str]:
    return {"REDIS_URL": settings.redis_url, "REDIS_PASSWORD_FILE": str(settings.redis_password_file)}


def _wait_all(desk: Desk, ids: list[UUID]) -> None:
    for job_id in ids:
        desk.wait_for(job_id, within_s=300)


@contextmanager
def _folder(name: str) -> Iterator[Path]:
    folder = private_folder(name)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(part: Part) -> Iterator[None]:
    part.start()
    try:
        yield
    finally:
        part.stop()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=400)
    parser.add_argument("--finished", type=int, default=0, help="Jobs that are in the ledger already.")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
