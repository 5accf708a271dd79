"""Names of workers; apart from the facts because `up` and `scale` need them, and load nothing else for it."""

from tradebot_ops.engines.base import Replica


def worker_names(replica: Replica) -> tuple[str, ...]:
    """Names that a worker may use: the local engine gives it a name, in a container it is the container's id."""
    return replica.label, replica.name, replica.id[:12]
