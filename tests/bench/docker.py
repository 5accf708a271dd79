"""tradebot against Docker Compose: the same file, the same images, in turn, on the same machine.

    python -m tests.bench.docker [ROUNDS]

Needs a Docker engine with the stack's images, `docker` and `docker-compose` (2.40) on PATH. "Ready" is each
tool's own word: Compose waits for Docker's health checks (`start_interval: 1s`), tradebot asks every service itself,
three good answers in a row. Ratios are tradebot / Compose, of medians; every exit code is checked. The last line is
what no command here can go below: Python importing the Docker SDK, rich, YAML and Typer, which reads a command line.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.integration.docker.rig import Compose, plugin, project
from tests.integration.tradebot import Tradebot

TARGETS = {"cold up": 0.65, "no-op up": 0.35, "scale to 6": 0.65, "status": 2.0, "down": 1.0}


def timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def ours(tradebot: Tradebot) -> dict[str, float]:
    return {
        "cold up": timed(lambda: tradebot.ok("up", "--no-canary", "-q")),
        "no-op up": timed(lambda: tradebot.ok("up", "--no-canary", "-q")),
        "scale to 6": timed(lambda: tradebot.ok("scale", "workers", "6", "-q")),
        "status": timed(lambda: tradebot.ok("status")),
        "down": timed(lambda: tradebot.ok("down", "-q")),
    }


def theirs(compose: Compose) -> dict[str, float]:
    # Compose lets every replica publish its port; a range gives each one.
    start = 30000 + os.getpid() % 20000
    environ = {"WORKER_REPLICAS": "2", "WORKER_METRICS_PORT": f"{start}-{start + 9}"}
    wait = ("up", "-d", "--wait")
    return {
        "cold up": timed(lambda: compose.run(*wait, environ=environ)),
        "no-op up": timed(lambda: compose.run(*wait, environ=environ)),
        "scale to 6": timed(lambda: compose.run(*wait, "--scale", "worker=6", environ=environ)),
        "status": timed(lambda: compose.run("ps", environ=environ)),
        "down": timed(lambda: compose.run("down", environ=environ)),
    }


def imports() -> None:
    # Typer loads pydantic only when it reads a command line.
    words = "import typer, docker, rich.table, yaml; app = typer.Typer(); app.command()(lambda: None); app()"
    subprocess.run([sys.executable, "-c", words], check=True)


def main(rounds: int) -> None:
    docker = shutil.which("docker")
    if not plugin() or docker is None:
        raise SystemExit("docker and docker-compose must be on PATH")
    folder = Path(tempfile.mkdtemp(prefix="tradebot-bench-"))
    tradebot = project(folder / "home", WORKER_REPLICAS="2")
    # As people call it. Docker's own client looks for plugins in its configuration folder, too.
    plugins = folder / "docker" / "cli-plugins"
    plugins.mkdir(parents=True)
    (plugins / "docker-compose").symlink_to(plugin())
    compose = Compose(tradebot, (docker, "--config", str(plugins.parent), "compose"))
    floor: list[float] = []
    figures: dict[str, dict[str, list[float]]] = {name: {"ours": [], "theirs": []} for name in TARGETS}
    try:
        tradebot.ok("up", "--no-canary", "-q")  # secrets and an initialised database, for both
        tradebot.ok("down", "-q")
        for number in range(rounds):
            for who, run in (("ours", lambda: ours(tradebot)), ("theirs", lambda: theirs(compose))):
                (tradebot.state / "desired.json").unlink(missing_ok=True)
                for name, seconds in run().items():
                    figures[name][who].append(seconds)
            floor.append(timed(imports))
            sys.stderr.write(f"round {number + 1} of {rounds}, load {os.getloadavg()[0]:.1f}\n")
    finally:
        tradebot.run("down", "--volumes", "--yes")
        shutil.rmtree(folder, ignore_errors=True)
    sys.stdout.write(
        f"{'':12}{'tradebot':>10}{'compose':>10}{'ratio':>8}{'target':>8}   load {os.getloadavg()[0]:.1f}\n"
    )
    for name, target in TARGETS.items():
        mine, other = (statistics.median(figures[name][who]) for who in ("ours", "theirs"))
        sys.stdout.write(f"{name:12}{mine:9.2f}s{other:9.2f}s{mine / other:8.2f}{target:8.2f}\n")
    sys.stdout.write(f"{'imports':12}{statistics.median(floor):9.2f}s\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
