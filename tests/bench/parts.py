"""A long sweep in parts on two workers, next to one in one piece: ``python -m tests.bench.parts [--rounds 5]``.

Starts its own Postgres, Redis and two workers. Rounds are interleaved: the same sweep in one piece, by one worker; in
parts by two; with ``--alone`` also in parts by one, as under ``queue limit sweep 1``; and two whole sweeps at once, one
on each worker, which is all that the machine's cores and memory give. Seconds are those of a person who waits, from the
submission to the end. All results must have the same digits.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psycopg

from services.common.database import Database
from services.common.ledger import Job, Queues, State
from services.common.settings import Settings
from services.common.transport import LONG_QUEUE
from tests.bench.jobs import desk_of, servers
from tests.integration.worker.rig import Desk, WorkerPart, install_job_types
from tests.waiting import until

SYMBOL, INTERVAL = "WALK", "1h"
WORKERS = ("worker-1", "worker-2")
#: So long each of the three may take on a machine that has other work.
PATIENCE_S = 1200.0


def main() -> int:
    arguments = _arguments()
    sweep: dict[str, Any] = {
        "symbol": SYMBOL, "interval": INTERVAL, "strategy": "sma_cross", "fee_bps": 3,
        "fast": "2:80:2", "slow": f"85:{85 + 5 * (arguments.runs // 40 - 1)}:5",
    }  # fmt: skip
    with ExitStack() as stack:
        settings = stack.enter_context(servers())
        load(settings, arguments.bars)
        desk = stack.enter_context(desk_of(settings))
        queues = Queues(stack.enter_context(_database(settings)))
        stack.enter_context(workers(settings))
        limits: dict[str, int | None] = {"two workers": None} | ({"one worker": 1} if arguments.alone else {})
        ratios: dict[str, list[float]] = {name: [] for name in limits}
        ceilings: list[float] = []
        for number in range(arguments.rounds):
            whole, digits = timed(desk, "sweep_in_one_piece", sweep)
            pair = [desk.submit("sweep_in_one_piece", queue=LONG_QUEUE, **sweep) for _ in WORKERS]
            both = max(seconds_of(desk.wait_for(each, within_s=PATIENCE_S)) for each in pair)
            ceilings.append(2 * whole / both)
            took, parts = {}, 0
            for name, limit in limits.items():
                queues.set("sweep", by="bench", max_running=limit, limited=True)
                took[name], same = timed(desk, "sweep", sweep)
                assert same == digits, "the sweep in parts has another result"
                ratios[name].append(whole / took[name])
            parts = newest_parts(desk)
            print(f"round {number + 1}: in one piece {whole:.1f} s  two such at once {both:.1f} s ",
                  *(f"in {parts} parts by {name} {seconds:.1f} s " for name, seconds in took.items()),
                  f"load {os.getloadavg()[0]:.1f}")  # fmt: skip
        print(
            f"median: two workers at once get {statistics.median(ceilings):.2f} x the work of one done on this machine"
        )
        for name in limits:
            target = " (target 1.7)" if name == "two workers" else ""
            print(f"median: in parts by {name} {statistics.median(ratios[name]):.2f} x as fast{target}")
    return 0


def load(settings: Settings, bars: int) -> None:
    """An hourly random walk: the shipped prices are too few for a sweep that takes long."""
    moves = np.random.default_rng(1).normal(0.0, 0.004, (2, bars))
    close = 100 * np.exp(np.cumsum(moves.sum(axis=0)))
    opened = close * np.exp(-moves[1])
    rows = np.column_stack([opened, np.maximum(opened, close), np.minimum(opened, close), close])
    dsn = settings.postgres_dsn("bench", statement_timeout_s=0).get_secret_value()
    with psycopg.connect(dsn) as connection:
        found = connection.execute(
            "INSERT INTO series (symbol, interval) VALUES (%s, %s) RETURNING id", (SYMBOL, INTERVAL)
        ).fetchone()
        assert found
        with connection.cursor().copy("COPY candle (series_id, ts, o, h, l, c, v) FROM STDIN") as copy:
            for number, row in enumerate(rows.tolist()):
                day = np.datetime64("1990-01-01T00", "s") + np.timedelta64(number, "h")
                copy.write_row((found[0], f"{day}Z", *row, 1.0))


def timed(desk: Desk, job_type: str, payload: dict[str, Any]) -> tuple[float, str]:
    """Seconds until the sweep is done, and its result."""
    job = desk.wait_for(desk.submit(job_type, queue=LONG_QUEUE, **payload), within_s=PATIENCE_S)
    assert job.state is State.SUCCEEDED, job.message
    return seconds_of(job), json.dumps(job.result)


def seconds_of(job: Job) -> float:
    assert job.finished_at
    return (job.finished_at - job.submitted_at).total_seconds()


def newest_parts(desk: Desk) -> int:
    """In how many parts the last sweep was done."""
    (newest,), _ = desk.ledger.list_jobs(limit=1)
    return sum(event.note.startswith("part ") for event in desk.ledger.events(newest.id))


@contextmanager
def workers(settings: Settings) -> Iterator[None]:
    with tempfile.TemporaryDirectory() as folder:
        plugins = install_job_types(Path(folder) / "plugins")
        quiet = {"LOG_LEVEL": "warning"}
        made = [WorkerPart(settings, plugins, Path(folder) / name, name, quiet) for name in WORKERS]
        try:
            for worker in made:
                worker.start()
            until(lambda: all(worker.heartbeat() for worker in made), "two workers beat", 60)
            yield
        finally:
            for worker in made:
                worker.stop()


@contextmanager
def _database(settings: Settings) -> Iterator[Database]:
    database = Database(settings, "bench-queues")
    database.open()
    try:
        yield database
    finally:
        database.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--alone", action="store_true", help="also in parts by one worker")
    parser.add_argument("--bars", type=int, default=400_000, help="bars of the random walk")
    parser.add_argument("--runs", type=int, default=4_000, help="pairs of averages, a multiple of 40; at most 7320")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
