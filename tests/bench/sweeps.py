"""10 000 pairs of averages on AAPL: ``python -m tests.bench.sweeps [--rounds 5] [--vectorbt PYTHON]``.

Next to a bare loop over numpy, which computes nothing but the Sharpe ratio of each pair, and to vectorbt, where
``PYTHON`` is the interpreter of an environment that has it. Interleaved, in seconds of processor time, as other work
on the machine makes all of them slower. Each must find the same best Sharpe ratio.
"""

import argparse
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from services.jobs.market.candles import Bars
from services.jobs.sweep import JOB
from tests.services.jobs.fakes import FileContext

FAST, SLOW = range(1, 101), range(101, 201)
#: So many pairs vectorbt is given at once: 10 000 would take gigabytes, and leave the processor's cache.
AT_ONCE = 100

VECTORBT = """
import sys, time
import numpy as np, pandas as pd, vectorbt as vbt

stored = np.load(sys.argv[1])
opened, close = pd.Series(stored["open"]), pd.Series(stored["close"])
at_once = int(sys.argv[2])

def after(held):
    return np.vstack([np.zeros((1, held.shape[1]), bool), held[:-1]])

def run():
    mean = vbt.MA.run(close, window=list(range(1, 201))).ma.to_numpy()
    fast, slow = np.repeat(np.arange(100), 100), np.tile(np.arange(100, 200), 100)
    best = -np.inf
    for first in range(0, len(fast), at_once):
        chosen = slice(first, first + at_once)
        held = after(mean[:, fast[chosen]] > mean[:, slow[chosen]])
        before = after(held)
        portfolio = vbt.Portfolio.from_signals(
            close, entries=held & ~before, exits=before & ~held, price=opened, freq="1D", init_cash=10000.0
        )
        best = max(best, np.nanmax(portfolio.sharpe_ratio().to_numpy()))
    return best * (252 / 365) ** 0.5

run()
print("ready", flush=True)
for _ in sys.stdin:
    began = time.process_time()
    best = run()
    print(time.process_time() - began, best, flush=True)
"""


def main() -> int:
    arguments = _arguments()
    ctx = FileContext()
    candles = ctx.candles("AAPL")
    bars = candles.adjusted()
    ctx.candles = lambda *_: candles  # type: ignore[method-assign]
    works: dict[str, Callable[[], tuple[float, float]]] = {
        "bare": lambda: timed(lambda: bare(bars)),
        "sweep": lambda: timed(lambda: sweep(ctx, 0.0)),
        "with a holdout": lambda: timed(lambda: sweep(ctx, 0.3)),
    }
    with tempfile.TemporaryDirectory() as folder:
        peer = Vectorbt(arguments.vectorbt, bars, Path(folder)) if arguments.vectorbt else None
        if peer:
            works["vectorbt"] = peer.run
        for work in works.values():
            work()  # what is imported and compiled once
        times: dict[str, list[float]] = {name: [] for name in works}
        for number in range(arguments.rounds):
            best = {}
            for name, work in works.items():
                seconds, best[name] = work()
                times[name].append(seconds)
            print(f"round {number + 1}:", *(f"{name} {took[-1]:.2f} s" for name, took in times.items()),
                  f"load {os.getloadavg()[0]:.1f}")  # fmt: skip
            for name in best.keys() - {"with a holdout"}:  # that one knows fewer bars
                assert math.isclose(best[name], best["bare"], rel_tol=1e-3), best
        if peer:
            peer.close()
    for name, target in (("bare", 3.0), ("vectorbt", 0.25)):
        if name in times:
            for ours in ("sweep", "with a holdout"):
                ratio = statistics.median(a / b for a, b in zip(times[ours], times[name], strict=True))
                print(f"median: {ours} {ratio:.2f} x the time of {name} (target {target:g})")
    return 0


def bare(bars: Bars) -> float:
    """The best Sharpe ratio: averages from one running sum, and per pair what a position makes of each bar."""
    total = np.concatenate(([0.0], np.cumsum(bars.close)))
    means = {}
    for count in (*FAST, *SLOW):
        means[count] = np.full(len(bars), np.nan)
        means[count][count - 1 :] = (total[count:] - total[:-count]) / count
    overnight = np.concatenate(([1.0], bars.open[1:] / bars.close[:-1]))
    within = bars.close / bars.open
    best = -math.inf
    for fast in FAST:
        for slow in SLOW:
            held = np.concatenate(([False], (means[fast] > means[slow])[:-1]))
            before = np.concatenate(([False], held[:-1]))
            equity = np.cumprod(np.where(before, overnight, 1.0) * np.where(held, within, 1.0))
            returns = equity[1:] / equity[:-1] - 1
            best = max(best, returns.mean() / returns.std(ddof=1) * math.sqrt(252))
    return float(best)


def sweep(ctx: Any, holdout: float) -> float:
    grid = {"fast": f"{FAST[0]}:{FAST[-1]}", "slow": f"{SLOW[0]}:{SLOW[-1]}"}
    result = JOB.run(ctx, JOB.validate({"symbol": "AAPL", "strategy": "sma_cross", "holdout": holdout, **grid}))
    assert result["runs"] == 10_000
    return float(result["best"][0]["metrics"]["sharpe"])


def timed(work: Callable[[], float]) -> tuple[float, float]:
    began = time.process_time()
    found = work()
    return time.process_time() - began, found


class Vectorbt:
    """A process of an environment of its own, which runs the sweep once for each line that it gets."""

    def __init__(self, python: str, bars: Bars, folder: Path) -> None:
        np.savez(folder / "bars.npz", open=bars.open, close=bars.close)
        self._process = subprocess.Popen(
            [python, "-c", VECTORBT, str(folder / "bars.npz"), str(AT_ONCE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._answer()

    def run(self) -> tuple[float, float]:
        assert self._process.stdin
        print(file=self._process.stdin, flush=True)
        seconds, best = self._answer().split()
        return float(seconds), float(best)

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(10)

    def _answer(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--vectorbt", metavar="PYTHON", help="an interpreter that has vectorbt")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
