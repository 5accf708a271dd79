"""The job types of this installation, without any API: read from the services' own code."""

import json
import subprocess
from typing import Any

from tradebot_ops.clients.services_code import run_module, why
from tradebot_ops.errors import OpsError

MODULE = "services.common.job_type_list"
SECONDS = 15.0


def here() -> dict[str, Any]:
    """The document of ``GET /job-types``. Raises ``OpsError`` TB-0542."""
    try:
        document: dict[str, Any] = json.loads(run_module(MODULE, seconds=SECONDS))
    except subprocess.TimeoutExpired:
        raise _unread(f"that took more than {SECONDS:.0f} s") from None
    except subprocess.CalledProcessError as error:
        raise _unread(why(error)) from error
    return document


def _unread(reason: str) -> OpsError:
    return OpsError(f"The job types could not be read here: {reason}.", code="TB-0542", hint="tradebot up")
