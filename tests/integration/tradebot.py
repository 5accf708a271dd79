"""The tradebot command as a user runs it: a process of its own, a private home, a project nobody else has."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psutil

from tests.paths import ROOT
from tests.waiting import until

T = TypeVar("T")


@dataclass
class Tradebot:
    """One project on one engine."""

    home: Path
    engine: str = "local"
    cwd: Path = ROOT
    project: str = field(default_factory=lambda: f"t{uuid.uuid4().hex[:10]}")
    environ: dict[str, str] = field(default_factory=dict)
    program: tuple[str, ...] = (sys.executable, "-m", "tradebot_ops")

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)

    @property
    def state(self) -> Path:
        return self.home / ".local" / "state" / "tradebot" / self.project

    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "CI", "DOCKER_HOST") if name in os.environ}
        own = {"HOME": str(self.home), "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": ""}
        # What can be made again at any time is made once: fetched programs, and whether the rules pass their tests.
        own["XDG_CACHE_HOME"] = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        # Monitoring has tests of its own; five processes more in every other test would only cost time.
        own["TRADEBOT_PROFILES"] = "core"
        return {**kept, **own, **self.environ}

    def suggested(self, words: str) -> str:
        """A command as the screens of this project suggest it."""
        return f"tradebot -p {self.project} --engine {self.engine} {words}"

    def command(self, *words: str) -> list[str]:
        return [*self.program, "-p", self.project, "--engine", self.engine, *words]

    def start(self, *words: str, **options: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*words),
            cwd=self.cwd,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def run(self, *words: str, timeout: float = 150) -> subprocess.CompletedProcess[str]:
        process = self.start(*words)
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def ok(self, *words: str, timeout: float = 150) -> str:
        done = self.run(*words, timeout=timeout)
        assert done.returncode == 0, f"{words}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def json(self, *words: str, timeout: float = 150) -> Any:
        """``data`` of a command that succeeded."""
        return json.loads(self.ok(*words, "--json", timeout=timeout))["data"]

    def status(self) -> dict[str, dict[str, Any]]:
        """What ``status --json`` says, by replica, whatever its exit code."""
        document = json.loads(self.run("status", "--json").stdout)
        return {f"{row['service']}-{row['number']}": row for row in document["data"]["services"]}

    def states(self) -> dict[str, str]:
        return {name: row["state"] for name, row in self.status().items()}

    def pid(self, replica: str) -> int:
        return int(self.status()[replica]["pid"])

    def submit(self, job_type: str, *pairs: str) -> str:
        return str(self.json("jobs", "submit", job_type, *pairs)["id"])

    def job(self, job_id: str) -> dict[str, Any]:
        document = json.loads(self.run("jobs", "show", job_id, "--json").stdout)
        assert document["data"] is not None, document
        return dict(document["data"])

    def ended(self, job_id: str, seconds: float = 60) -> dict[str, Any]:
        over = {"succeeded", "dead", "cancelled"}
        return until(
            lambda: job if (job := self.job(job_id))["state"] in over else None, f"the end of job {job_id}", seconds
        )

    def processes(self) -> list[psutil.Process]:
        """Every process on this host that carries this project's name or state folder in its command line.

        ``info["name"]`` of each is as it was then: the process may be gone meanwhile.
        """
        found = []
        for process in psutil.process_iter(["cmdline", "name"]):
            words = " ".join(process.info["cmdline"] or ())
            if (str(self.state) in words or self.project in words) and process.pid != os.getpid():
                found.append(process)
        return found

    def clean(self) -> None:
        self.run("down", "--volumes", "--yes", timeout=120)
        self.kill_processes()

    def kill_processes(self) -> None:
        for left in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                left.send_signal(signal.SIGKILL)
