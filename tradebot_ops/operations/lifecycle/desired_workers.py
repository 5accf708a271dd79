"""How many workers are wanted, published to the stack: the API exports it, and an alert fires when some are missing."""

import importlib
import threading
from collections.abc import Collection

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.records import WorkersTold
from tradebot_ops.stack.plan import Plan


def publish(ops: Ops, count: int) -> tuple[str, ...]:
    """Returns warnings: everything else works without."""
    if "redis" not in ops.stack.services:
        return ()
    ops.state.store(WorkersTold())  # whatever happens now, the old number is not sure any more
    try:
        ops.redis.desire_workers(count)
    except OpsError as error:
        return (f"{error.message} Until the next `tradebot up`, WorkersBelowDesired counts on the old number.",)
    ops.state.store(WorkersTold(count))
    return ()


def outdated(ops: Ops, wanted: Collection[str], planned: Plan) -> bool:
    """Whether an `up` has to publish it: it makes Redis anew, or the number is another one."""
    if not {"redis", "worker"} <= set(wanted):
        return False
    known = ops.state.load(WorkersTold).workers == ops.stack.services["worker"].replicas
    return not known or any(step.service == "redis" for step in planned.changes)


def get_ready() -> None:
    """Load the client meanwhile: that takes longer than publishing."""
    threading.Thread(target=importlib.import_module, args=("tradebot_ops.clients.redis",), daemon=True).start()
