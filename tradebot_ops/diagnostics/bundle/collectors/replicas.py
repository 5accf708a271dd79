"""Every replica: state, health, restarts, image, memory."""

from tradebot_ops.context import Ops
from tradebot_ops.diagnostics.bundle.collector import Collector, Files, plain


def collect(ops: Ops) -> Files:
    found = ops.engine.list()
    running = [replica for replica in found if replica.state.alive]
    memory = {each.id: each.memory for each in ops.engine.stats(running, cpu=False)} if running else {}
    return {
        "replicas.json": {
            replica.label: {**plain(replica), "memory": memory.get(replica.id)}
            for replica in sorted(found, key=lambda each: (each.service, each.number))
        }
    }


COLLECTOR = Collector("replicas", collect)
