"""What health checks cost an idle stack on Docker: the same ten containers with and without them, in turn.

    python -m tests.bench.idle [--rounds 3] [--seconds 60]

CPU is what the containers and the engine's own processes (dockerd, containerd, their shims) used: a check is a
program that the engine starts inside the container, so it costs both. Shares are of all processors. The target is that
health checks take 6 % at most. Needs a Docker engine with the stack's images, on this machine.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests.integration.docker.rig import api, inspected, monitored, remains
from tests.integration.tradebot import Tradebot
from tests.paths import ROOT

TARGET = 0.06
CONTAINERS = 10
ENGINE = ("dockerd", "containerd", "containerd-shim")
#: Until every container has left its start period, in which it is asked more often.
SETTLE_SECONDS = 65.0
NO_CHECKS = "services:\n" + "".join(
    f"  {name}: {{healthcheck: {{disable: true}}}}\n"
    for name in (
        "redis",
        "postgres",
        "api",
        "worker",
        "prometheus",
        "alertmanager",
        "node-exporter",
        "redis-exporter",
        "postgres-exporter",
    )
)


def spent(names: list[str]) -> float:
    """Seconds of CPU that containers and engine have used so far."""
    with api() as engine:
        used = [engine.stats(name, stream=False, one_shot=True)["cpu_stats"]["cpu_usage"] for name in names]
    total = sum(each["total_usage"] for each in used) / 1e9
    for process in psutil.process_iter(["name", "cpu_times"]):
        if process.info["name"].startswith(ENGINE):
            times = process.info["cpu_times"]
            total += times.user + times.system + times.children_user + times.children_system
    return total


def share(tradebot: Tradebot, seconds: float) -> float:
    """The part of all processors that the idle stack takes."""
    running = [name for name in remains(tradebot.project)["containers"] if inspected(name)["State"]["Running"]]
    if len(running) != CONTAINERS:
        raise SystemExit(f"{len(running)} containers run instead of {CONTAINERS}: {', '.join(sorted(running))}")
    time.sleep(SETTLE_SECONDS)
    before, started = spent(running), time.monotonic()
    time.sleep(seconds)
    return (spent(running) - before) / (time.monotonic() - started) / (os.cpu_count() or 1)


def main(rounds: int, seconds: float) -> None:
    folder = Path(tempfile.mkdtemp(prefix="tradebot-bench-"))
    override = folder / "without.yaml"
    override.write_text(NO_CHECKS, encoding="utf-8")
    tradebot = monitored(folder / "home")
    files = {"with": (), "without": ("-f", str(ROOT / "compose.yaml"), "-f", str(override))}
    shares: dict[str, list[float]] = {name: [] for name in files}
    try:
        for number in range(rounds):
            for name, words in files.items():
                tradebot.ok("up", "--no-canary", "-q", *words)
                shares[name].append(share(tradebot, seconds))
            sys.stderr.write(f"round {number + 1} of {rounds}, load {os.getloadavg()[0]:.1f}\n")
    finally:
        tradebot.run("down", "--volumes", "--yes")
        shutil.rmtree(folder, ignore_errors=True)
    checked, bare = (statistics.median(shares[name]) for name in files)
    sys.stdout.write(
        f"idle stack of {CONTAINERS} containers: {checked:.1%} of all processors, without health checks {bare:.1%}; "
        f"health checks {checked - bare:.1%} (target {TARGET:.0%}), load {os.getloadavg()[0]:.1f}\n"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60.0)
    chosen = parser.parse_args()
    main(chosen.rounds, chosen.seconds)
