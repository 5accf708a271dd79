"""A backup next to its peers: ``python -m tests.bench.backup --restic PATH [--rounds 5] [--times 1]``.

On the local engine, in a project and home of its own, with 500 000 candles and 20 000 jobs (``--times 10``: ten times
as many). Rounds are interleaved: ``tradebot backup`` as a person types it, which counts, dumps and reads back;
``pg_dump`` alone, of the same form; restic alone, which encrypts the same dump into a new repository; and restic with
the check that reads its packs back. Of each command the peak of its memory, too. Every exit code is checked.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from tests.drill.measured import Run, timed
from tests.integration.backup.rig import connect, ops_of, rows, shelf
from tests.integration.tradebot import Tradebot
from tests.waiting import free_port
from tradebot_ops.text.quantities import human_bytes

CANDLES, JOBS = 500_000, 20_000
FILL = """
WITH made AS (INSERT INTO series (symbol, interval) VALUES ('WALK', '1m') RETURNING id)
INSERT INTO candle (series_id, ts, o, h, l, c, v)
SELECT made.id, timestamptz '2000-01-01 00:00Z' + n * interval '1 minute',
  p, p * 1.01, p * 0.99, p * 1.001, 1000 * random()
FROM made, generate_series(1, {candles}) AS n, LATERAL (SELECT 100 + 50 * random() + n * 0 AS p) AS price;
INSERT INTO job (id, type, payload, state, attempt, finished_at, result)
SELECT gen_random_uuid(), 'canary', jsonb_build_object('nonce', n), 'succeeded', 1, now(),
  json_build_object('total_return', random(), 'sharpe', random(), 'digest', md5(n::text))
FROM generate_series(1, {jobs}) AS n;
"""
TABLES, COUNT = ("candle", "job"), "SELECT count(*) FROM {}"
OURS, DUMP, RESTIC, CHECKED = "tradebot backup", "pg_dump", "restic backup", "restic backup, check --read-data"


def main() -> int:
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environ = {"TRADEBOT_BACKUPS": str(folder / "backups"), "WORKER_REPLICAS": "1"}
        ports = {"API_PORT": str(free_port()), "WORKER_METRICS_PORT": str(free_port())}
        tradebot = Tradebot(folder / "home", environ=environ | ports)
        try:
            tradebot.ok("up")
            fill(tradebot, arguments.times)
            measure(tradebot, folder, arguments.restic, arguments.rounds)
        finally:
            tradebot.clean()
    return 0


def fill(tradebot: Tradebot, times: int) -> None:
    with closing(connect(tradebot)) as connection:
        connection.execute(FILL.format(candles=CANDLES * times, jobs=JOBS * times).encode())
        connection.execute("VACUUM ANALYZE")


def measure(tradebot: Tradebot, folder: Path, restic: str, rounds: int) -> None:
    took: dict[str, list[float]] = defaultdict(list)
    memory: dict[str, int] = defaultdict(int)
    size = 0
    for number in range(rounds + 1):
        shutil.rmtree(shelf(tradebot), ignore_errors=True)
        found = {OURS: tried(tradebot.command("backup"), tradebot.environment(), tradebot.cwd)}
        (backup,) = shelf(tradebot).iterdir()
        dump = folder / "alone.dump"
        found[DUMP] = tried(dump_words(tradebot, dump), dump_environment(tradebot), folder)
        size = dump.stat().st_size
        found |= by_restic(restic, folder / "repository", backup / "postgres.dump")
        if number:  # the first round fills caches
            for name, run in found.items():
                took[name].append(run.seconds)
                memory[name] = max(memory[name], run.memory)
        print(f"round {number}:", ", ".join(f"{name} {run.seconds:.2f} s" for name, run in found.items()),
              f"load {os.getloadavg()[0]:.1f}")  # fmt: skip
    counted = sum(rows(tradebot, COUNT.format(name))[0][0] for name in TABLES)
    print(f"dump: {human_bytes(size)}, {counted} candles and jobs")
    for name, each in took.items():
        ratio = statistics.median(ours / peer for ours, peer in zip(took[OURS], each, strict=True))
        print(
            f"{name}: median {statistics.median(each):.2f} s, at most {human_bytes(memory[name])}; ours {ratio:.2f} x"
        )


def by_restic(program: str, repository: Path, dump: Path) -> Mapping[str, Run]:
    """A new repository each time, as the first backup on a disk; making it is not measured."""
    shutil.rmtree(repository, ignore_errors=True)
    environ = {"PATH": os.environ["PATH"], "HOME": str(repository.parent), "RESTIC_PASSWORD": "of this run"}
    words = [program, "--quiet", "--no-cache", "--repo", str(repository)]
    subprocess.run([*words, "init"], env=environ, check=True, capture_output=True)
    stored = tried([*words, "backup", str(dump)], environ, repository.parent)
    read = tried([*words, "check", "--read-data"], environ, repository.parent)
    both = Run(0, stored.seconds + read.seconds, max(stored.memory, read.memory), "", "")
    return {RESTIC: stored, CHECKED: both}


def dump_words(tradebot: Tradebot, target: Path) -> list[str]:
    address = ops_of(tradebot).engine.endpoint("postgres", 5432)
    program = tradebot.ok("exec", "postgres", "--", "sh", "-c", "command -v pg_dump").strip()
    where = [f"--host={address.host}", f"--port={address.port}", "--username=tradebot", "--dbname=tradebot"]
    return [program, *where, "--format=custom", "--compress=0", f"--file={target}"]


def dump_environment(tradebot: Tradebot) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PGPASSWORD": ops_of(tradebot).secret("postgres_password").reveal()}


def tried(words: Sequence[str], environ: Mapping[str, str], cwd: Path) -> Run:
    os.sync()  # each waits for its own writes, and not for those that the one before left to the kernel
    run = timed(words, environ, cwd)
    assert run.code == 0, f"{words[0]}: {run.out}{run.err}"
    return run


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--times", type=int, default=1, help="so many times the data")
    parser.add_argument("--restic", default=shutil.which("restic"), help="its program; Debian has it")
    arguments = parser.parse_args()
    if not arguments.restic:
        parser.error("restic is not on PATH: name it with --restic, or apt-get install restic")
    arguments.restic = str(Path(arguments.restic).resolve())
    return arguments


if __name__ == "__main__":
    sys.exit(main())
