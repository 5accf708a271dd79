"""The API as the program that it is, with the job types that misbehave; it can be killed and started again."""

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from services.common.settings import Settings
from tests.integration.worker.rig import environment_of
from tests.paths import ROOT
from tests.waiting import free_port, until

KEY = {"X-API-Key": "integration-api-key"}


@dataclass
class ApiPart:
    """``plugins`` is a folder made by ``install_job_types``."""

    settings: Settings
    plugins: Path
    log: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        files = {"API_KEY_FILE": self.settings.api_key_file, "ALERT_TOKEN_FILE": self.settings.alert_token_file}
        environment = environment_of(self.settings, self.plugins) | {name: str(file) for name, file in files.items()}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "services.api"],
                cwd=ROOT,
                env=environment | {"API_LISTEN": f"127.0.0.1:{self.port}"},
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        until(lambda: self.answers("/health/live"), f"the API lives; see {self.tail()}")

    def answers(self, path: str) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=20).status_code == 200
        except httpx.HTTPError:
            return False

    def submit(self, key: str, job_type: str, timeout_s: float = 20.0, **payload: object) -> httpx.Response:
        """The answer to a submission with this idempotency key."""
        return httpx.post(
            f"http://127.0.0.1:{self.port}/jobs",
            json={"type": job_type, "payload": payload},
            headers=KEY | {"Idempotency-Key": key},
            timeout=timeout_s,
        )

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-3000:]
