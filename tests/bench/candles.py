"""How fast candles load, next to a bare COPY: ``python -m tests.bench.candles [--rounds 5] [--rows 1000000]``.

Ours reads nothing from disk, but checks every row, copies, upserts and counts. The peers copy the same packed rows
in binary into an empty table: one without any key, one with the key that candles have. Interleaved; what was
stored is counted after every load.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import psycopg

from services.jobs.market import packing, quality, source, store
from tests.bench.jobs import servers

Connection = psycopg.Connection[Any]


def main() -> int:
    arguments = _arguments()
    frame = many(arguments.rows)
    with servers() as settings, psycopg.connect(
        settings.postgres_dsn("bench", statement_timeout_s=0).get_secret_value(), autocommit=True
    ) as connection:  # fmt: skip
        ids = store.series_ids(connection, [str(symbol) for symbol in frame["symbol"].cat.categories])
        pieces = list(packing.packed(frame, ids))
        connection.execute("CREATE TABLE bare (LIKE candle)")
        connection.execute("CREATE TABLE keyed (LIKE candle, PRIMARY KEY (series_id, ts))")
        works: dict[str, Callable[[], None]] = {
            "bare": lambda: packing.copy_in(connection, "bare", pieces),
            "keyed": lambda: packing.copy_in(connection, "keyed", pieces),
            "candle": lambda: load(connection, frame, ids),
        }
        times: dict[str, list[float]] = {name: [] for name in [*works, "again"]}
        for number in range(arguments.rounds):
            for table, work in works.items():
                connection.execute(f"TRUNCATE {table}")
                connection.execute("CHECKPOINT")
                times[table].append(timed(work))
                assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (len(frame),)  # noqa: S608
            times["again"].append(timed(works["candle"]))
            print(f"round {number + 1}:", *(f"{name} {took[-1]:.2f} s" for name, took in times.items()),
                  f"load {os.getloadavg()[0]:.1f}")  # fmt: skip
    ours = statistics.median(times["candle"])
    for peer in ("bare", "keyed"):
        ratio = statistics.median(a / b for a, b in zip(times[peer], times["candle"], strict=True))
        print(f"median: {ratio:.2f} x the rows/s of COPY BINARY into an empty table, {peer} (target 0.4)")
    print(f"{len(frame) / ours:.0f} rows/s; loading the same again took {statistics.median(times['again']):.2f} s")
    return 0


def load(connection: Connection, frame: pd.DataFrame, ids: dict[str, int]) -> None:
    checked = quality.check(frame, datetime.now(UTC))
    store.upsert(connection, checked.good, ids)


def many(rows: int) -> pd.DataFrame:
    """The sample over and over, under other names."""
    sample = source.read(source.locate(source.SAMPLE))
    frame = pd.concat([sample] * -(-rows // len(sample)), ignore_index=True)
    number = np.arange(len(frame)) // len(sample)
    names = frame["symbol"].astype("str") + "." + pd.Series(number).astype("str")
    return frame.assign(symbol=names.astype("category"), line=np.arange(len(frame))).head(rows)


def timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=1_000_000)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
