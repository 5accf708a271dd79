"""The limits in force now, and how each setting is written."""

from tradebot_ops.context import Ops
from tradebot_ops.operations.optimize.decide import MB, Change, Limits
from tradebot_ops.text.quantities import human_bytes
from tradebot_ops.units import size

WORKERS = "WORKER_REPLICAS"
#: Those that are counted; all others are sizes.
COUNTS = frozenset({WORKERS, "POSTGRES_MAX_CONNECTIONS"})
#: Where a value may come from that the settings file cannot outrank.
STRONGER = frozenset({"environment", "tradebot.toml"})


def in_force(ops: Ops) -> Limits:
    given = ops.settings.variables()
    worker = ops.stack.services.get("worker")
    return Limits(
        workers=worker.replicas if worker else 0,
        worker_memory=size(given["WORKER_MEMORY_LIMIT"]),
        job_memory=size(given["JOB_MEMORY_LIMIT"]),
        redis_memory=size(given["REDIS_MAXMEMORY"]),
        shared_buffers=size(given["POSTGRES_SHARED_BUFFERS"]),
        connections=int(given["POSTGRES_MAX_CONNECTIONS"]),
    )


def written(setting: str, value: int) -> str:
    """``768mb``, or the number of what is counted."""
    return str(value) if setting in COUNTS else f"{value // MB}mb"


def shown(setting: str, value: int) -> str:
    return str(value) if setting in COUNTS else human_bytes(value)


def outranked(ops: Ops, change: Change) -> str:
    """Where a setting is set that the file of settings cannot change; empty if it can."""
    value = ops.settings.stack.get(change.setting)
    return value.origin if value and value.origin in STRONGER else ""
