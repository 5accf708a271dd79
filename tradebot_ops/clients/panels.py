"""The dashboard's panels while the API, which makes them, is away: its own code asks Prometheus, in a process of ours.

An outage of the API must not take the picture away with it, and a panel must not become series in two places. The
command line and the services import nothing of one another.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tradebot_ops.clients.rest import Login
from tradebot_ops.errors import OpsError
from tradebot_ops.stack.source import default_folder

MODULE = "services.api.dashboard"
#: Each query has 5 s; then there are the start of the process and an answer to read.
SECONDS = 15.0


class Panels:
    """Asks the Prometheus at ``base_url``."""

    def __init__(self, base_url: str, login: Login) -> None:
        self._base_url, self._login = base_url, login

    def look(self, definition: Path, range_name: str) -> dict[str, Any]:
        """The document of ``GET /dashboard/panels`` for this dashboard. Raises ``OpsError`` TB-0541."""
        try:
            done = subprocess.run(
                # -P: else a folder `services` where the operator stands would come before ours.
                [sys.executable, "-P", "-m", MODULE, range_name, str(definition), self._base_url, self._login.user],
                input=self._login.password.reveal(),
                env={**os.environ, "PYTHONPATH": str(default_folder())},
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=True,
            )
        except subprocess.TimeoutExpired:
            raise OpsError(
                f"Prometheus did not give the panels within {SECONDS:.0f} s.",
                code="TB-0541",
                hint="tradebot monitoring status",
            ) from None
        except subprocess.CalledProcessError as error:
            reason = str(error.stderr).strip().rpartition("\n")[2] or "there was no output"
            raise OpsError(
                f"The panels could not be made: {reason.rstrip('.')}.", code="TB-0541", hint="tradebot dashboards lint"
            ) from error
        document: dict[str, Any] = json.loads(done.stdout)
        return document
