"""The dashboard's panels while the API, which makes them, is away: its own code asks Prometheus, in a process of ours.

An outage of the API must not take the picture away with it, and a panel must not become series in two places.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

from tradebot_ops.clients.rest import Login
from tradebot_ops.clients.services_code import run_module, why
from tradebot_ops.errors import OpsError
from tradebot_ops.stack.model import Trust

MODULE = "services.api.dashboard"
#: Each query has 5 s; then there are the start of the process and an answer to read.
SECONDS = 15.0


class Panels:
    """Asks the Prometheus at ``base_url``."""

    def __init__(self, base_url: str, login: Login, trust: Trust | None = None) -> None:
        self._base_url, self._login = base_url, login
        self._trust = (str(trust.ca), trust.name) if trust else ()

    def look(self, definition: Path, range_name: str) -> dict[str, Any]:
        """The document of ``GET /dashboard/panels`` for this dashboard. Raises ``OpsError`` TB-0541."""
        try:
            text = run_module(
                MODULE,
                range_name,
                str(definition),
                self._base_url,
                self._login.user,
                *self._trust,
                seconds=SECONDS,
                text=self._login.password.reveal(),
            )
        except subprocess.TimeoutExpired:
            raise OpsError(
                f"Prometheus did not give the panels within {SECONDS:.0f} s.",
                code="TB-0541",
                hint="tradebot monitoring status",
            ) from None
        except subprocess.CalledProcessError as error:
            raise OpsError(
                f"The panels could not be made: {why(error)}.", code="TB-0541", hint="tradebot dashboards lint"
            ) from error
        document: dict[str, Any] = json.loads(text)
        return document
