"""Workers with the order to take no jobs; apart from the facts because `status` asks, and loads nothing else for it."""

import json
from collections.abc import Sequence

from tradebot_ops.clients import probe
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Replica
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.replicas.condition import address_of
from tradebot_ops.facts.work.worker_names import worker_names

SECONDS = 1.0


def drained(ops: Ops, replicas: Sequence[Replica]) -> dict[str, str]:
    """By label: who gave the order, and why. Empty while the API cannot say: that has a row of its own."""
    workers = [each for each in replicas if each.service == "worker"]
    api = next((each for each in replicas if each.service == "api"), None)
    if not workers or api is None:
        return {}
    try:
        address = address_of(ops.engine, api, 8010)
        status, body = probe.page(address.host, address.port, "/workers", SECONDS, ops.trust("api"))
        heard = {each["name"]: each["order"] for each in json.loads(body)["workers"]} if status == 200 else {}
    except (OpsError, ValueError, TypeError, KeyError):
        return {}
    orders = ((each.label, heard.get(name)) for each in workers for name in worker_names(each))
    return {label: _why(order) for label, order in orders if order and order["drain"]}


def _why(order: dict[str, str]) -> str:
    return f"takes no jobs, says {order['by']}" + (f": {order['reason']}" if order["reason"] else "")
