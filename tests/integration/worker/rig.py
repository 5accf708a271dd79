"""A worker under test: the real program, with job types that misbehave on purpose."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil

from services.common.heartbeats import Heartbeat, alive
from services.common.ledger import DeadLetters, Job, Ledger, State
from services.common.redis_client import redis_client
from services.common.settings import Settings
from services.common.transport import QUEUE, Transport
from tests.paths import ROOT
from tests.waiting import until

LEASE_S = 4
TYPES = (
    "noop",
    "nap",
    "nap_long",
    "hold_gil",
    "multiply",
    "eat_memory",
    "crash",
    "abort",
    "leave",
    "stubborn",
    "stubborn_long",
    "forker",
    "half_word",
    "raiser",
    "flaky",
    "hopeless",
    "download",
    "lose_connection",
    "caller",
    "backend",
    "keeper",
    "picky",
    "returns",
    "poison",
    "effect",
    "parted",
    "splits_without_parts",
    "sweep_in_parts",
    "sweep_in_one_piece",
)


def install_job_types(folder: Path) -> Path:
    """A distribution that offers the job types of ``misbehaving`` by entry point, and one that is broken."""
    info = folder / "misbehaving-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: misbehaving\nVersion: 1.0\n")
    lines = [f"{name} = tests.integration.worker.misbehaving:{name.upper()}" for name in TYPES]
    lines.append("broken = tests.integration.worker.no_such_module:JOB")
    (info / "entry_points.txt").write_text("[tradebot.jobs]\n" + "\n".join(lines) + "\n")
    return folder


def environment_of(settings: Settings, plugins: Path) -> dict[str, str]:
    """Of a service with these settings and with the job types in ``plugins``."""
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(plugins)]),
        "DATABASE_URL": settings.database_url,
        "DATABASE_PASSWORD_FILE": str(settings.database_password_file),
        "REDIS_URL": settings.redis_url,
        "REDIS_PASSWORD_FILE": str(settings.redis_password_file),
        "LOG_FORMAT": "json",
    }


@dataclass
class WorkerPart:
    """One worker process. ``plugins`` is a folder made by ``install_job_types``."""

    settings: Settings
    plugins: Path
    log: Path
    name: str = "worker-1"
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "services.worker"],
                cwd=ROOT,
                env=self._env(),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def _env(self) -> dict[str, str]:
        return {
            **environment_of(self.settings, self.plugins),
            "WORKER_NAME": self.name,
            "WORKER_METRICS_LISTEN": "127.0.0.1:0",
            # Short, so that tests need not wait long for a dead worker's lease to end.
            "WORKER_LEASE_SECONDS": str(LEASE_S),
            **self.environment,
        }

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.pid).children(recursive=True)

    def heartbeat(self) -> Heartbeat | None:
        found = alive(redis_client(self.settings))
        return next((beat for beat in found if beat.name == self.name), None)

    def metrics(self) -> dict[str, float]:
        """Every series that a scrape of this worker shows."""
        started = next(line for line in self.log.read_text().splitlines() if '"worker started"' in line)
        address = f"http://127.0.0.1:{json.loads(started)['metrics_port']}/metrics"
        with urllib.request.urlopen(address, timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines) if name[:1] != "#"}

    def terminate(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """kill -9 of the worker alone: what it leaves behind must end by itself."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def wait(self, within_s: float = 30.0) -> int:
        assert self.process is not None
        return self.process.wait(within_s)

    def stop(self) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-3000:]


@dataclass
class Desk:
    """Submits jobs and watches them, as the API would."""

    ledger: Ledger
    dead_letters: DeadLetters
    transport: Transport

    def submit(self, job_type: str, *, max_attempts: int = 3, queue: str = QUEUE, **payload: Any) -> UUID:
        job = self.ledger.submit(job_type, payload, max_attempts=max_attempts).job
        self.transport.send(job.id, queue)
        return job.id

    def job(self, job_id: UUID) -> Job:
        job = self.ledger.get(job_id)
        assert job is not None
        return job

    def wait_for(self, job_id: UUID, *states: State, within_s: float = 40.0) -> Job:
        wanted = states or tuple(state for state in State if state.final)
        until(lambda: self.job(job_id).state in wanted, f"job in {[str(s) for s in wanted]}", within_s)
        return self.job(job_id)
