"""The halt as the API shows it; apart from the facts because `status` asks, and loads nothing else for it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tradebot_ops.clients import probe
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Replica
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.replicas.condition import address_of

SECONDS = 1.0


def halted(ops: Ops, replicas: Sequence[Replica]) -> Mapping[str, Any] | None:
    """The document of the API's `/halt`; None while it cannot say: that has a row of its own."""
    api = next((each for each in replicas if each.service == "api"), None)
    if api is None:
        return None
    try:
        address = address_of(ops.engine, api, 8010)
        status, body = probe.page(address.host, address.port, "/halt", SECONDS, ops.trust("api"))
        found = json.loads(body) if status == 200 else None
        return {name: found[name] for name in ("halted", "at", "by", "reason")} if found else None
    except (OpsError, ValueError, TypeError, KeyError):
        return None
