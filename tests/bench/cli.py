"""How long commands take, and what the idle stack costs: ``python -m tests.bench.cli [--rounds 5]``.

``--help`` and ``--version`` are measured next to ``python -c "import typer"``, rounds interleaved. The stack runs on
the local engine, in a project and home of its own; one round takes it up (data there, nothing running), up again
(nothing to change), looks at it, scales it and takes it down. Every exit code is checked.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import psutil

from tests.integration.tradebot import Tradebot
from tests.paths import ROOT
from tests.waiting import free_port

Times = dict[str, list[float]]

PEER = "import typer"
STARTS = {PEER: ["-c", "import typer"], "--help": ["-m", "tradebot_ops", "--help"],
          "--version": ["-m", "tradebot_ops", "--version"]}  # fmt: skip


def main() -> int:
    rounds = _arguments().rounds
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    # An editable install would otherwise compile every module at each start.
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    starts = start_times(rounds, environ)
    tell("median of the start alone", starts)
    for name in ("--help", "--version"):
        ratios = [ours / peer for ours, peer in zip(starts[name], starts[PEER], strict=True)]
        print(f"  {name}: {statistics.median(ratios):.2f} x `{PEER}` (target 1.5)")
    with tempfile.TemporaryDirectory() as folder:
        ports = {"API_PORT": str(free_port()), "WORKER_METRICS_PORT": str(free_port()), "WORKER_REPLICAS": "2"}
        tradebot = Tradebot(Path(folder) / "home", environ=ports)
        try:
            stack_times(tradebot, rounds)
        finally:
            tradebot.clean()
    return 0


def start_times(rounds: int, environ: dict[str, str]) -> Times:
    times: Times = defaultdict(list)
    for number in range(rounds + 1):
        for name, words in STARTS.items():
            taken = timed(lambda words=words: subprocess.run(  # type: ignore[misc]
                [sys.executable, *words], env=environ, check=True, capture_output=True))  # fmt: skip
            if number:  # the first round compiles and fills caches
                times[name].append(taken)
    return times


def stack_times(tradebot: Tradebot, rounds: int) -> None:
    first = timed(lambda: tradebot.ok("up"))
    print(f"first up, with sample prices and canary: {first:.2f} s, load {os.getloadavg()[0]:.1f}")
    print(f"idle stack of 2 workers: {pss(tradebot) / 1024**2:.0f} MiB (PSS)")
    tradebot.ok("down")
    steps: dict[str, Callable[[], object]] = {
        "up (warm)": lambda: tradebot.ok("up", "--no-canary"),
        "up (nothing to change)": lambda: tradebot.ok("up", "--no-canary"),
        "status": lambda: tradebot.ok("status"),
        "scale workers 6": lambda: tradebot.ok("scale", "workers", "6"),
        "scale workers 2": lambda: tradebot.ok("scale", "workers", "2"),
        "down": lambda: tradebot.ok("down"),
    }
    times: Times = defaultdict(list)
    for number in range(rounds):
        for name, step in steps.items():
            times[name].append(timed(step))
        print(f"round {number + 1}: load {os.getloadavg()[0]:.1f}")
    tell("median on the local engine", times)


def pss(tradebot: Tradebot) -> int:
    """Bytes of every process of the project, shared pages counted once; after a moment of idling."""
    time.sleep(5)
    return sum(process.memory_full_info().pss for process in _everybody(tradebot))


def _everybody(tradebot: Tradebot) -> set[psutil.Process]:
    pids = [int(row["pid"]) for row in tradebot.status().values() if row["pid"]]
    daemon = next(parent for parent in psutil.Process(pids[0]).parents() if "supervisord" in " ".join(parent.cmdline()))
    return {daemon, *daemon.children(recursive=True)}


def timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def tell(what: str, times: Times) -> None:
    shown = "  ".join(f"{name} {statistics.median(taken) * 1000:.0f} ms" for name, taken in times.items())
    print(f"{what}: {shown}  (load {os.getloadavg()[0]:.1f})")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
