"""systemd, asked through ``systemctl``: the manager of the host, or that of this user."""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from tradebot_ops.errors import OpsError
from tradebot_ops.text.sentences import ended

SECONDS = 30
#: What ``is-system-running`` answers where a manager runs.
_RUNNING = {"initializing", "starting", "running", "degraded", "maintenance"}


@dataclass(frozen=True)
class Manager:
    """``system``: that of the host, else that of this user."""

    system: bool
    environ: Mapping[str, str]

    @property
    def words(self) -> str:
        """As an operator types it."""
        return "systemctl" if self.system else "systemctl --user"

    def runs(self) -> bool:
        """Whether it answers; false also where systemd is not installed, or did not start this host."""
        if shutil.which("systemctl", path=self.environ.get("PATH")) is None:
            return False
        return self._run("is-system-running").stdout.strip() in _RUNNING

    def reload(self) -> None:
        self._do("daemon-reload")

    def enable(self, unit: str) -> None:
        """Have it started at boot; what runs now is left alone. Raises ``OpsError`` TB-0145."""
        self._do("enable", unit)

    def disable(self, unit: str) -> None:
        self._do("disable", unit)

    def _do(self, *words: str) -> None:
        done = self._run(*words)
        if done.returncode != 0:
            lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
            typed = " ".join((self.words, *words))
            raise OpsError(
                f"`{typed}` failed: {ended(lines[-1] if lines else f'exit code {done.returncode}')}",
                code="TB-0145",
                hint=f"Type it yourself: {typed}",
                detail=tuple(lines[-5:]),
            )

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = ["systemctl", *([] if self.system else ["--user"]), *words]
        try:
            return subprocess.run(
                command,
                env={**self.environ, "LC_ALL": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return subprocess.CompletedProcess(command, 1, "", f"{error}")
