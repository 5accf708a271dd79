"""Stop one replica; the job that a worker runs gets the time that was granted, else what the stack says."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Replica
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.work.worker_names import worker_names
from tradebot_ops.stack.model import Service

WORKER = "worker"
#: For the job's process to end and for the ledger to hear of it, after the time granted.
HANDBACK_SECONDS = 15.0
#: Of a worker that is given no time.
USUAL_SECONDS = 30.0


@dataclass
class Drain:
    """How replicas are stopped: a worker's job gets ``seconds``; None: every service its own grace period.

    ``warnings`` collects, from all threads, what could not be done as it was asked for.
    """

    ops: Ops
    seconds: float | None = None
    warnings: list[str] = field(default_factory=list)

    def stop(self, replica: Replica, usual: float) -> None:
        """Blocks until it is gone; ``usual`` is its service's grace period. Raises what the engine raises."""
        grace = usual
        if self.seconds is not None and replica.service == WORKER:
            granted = self._grant(replica, self.seconds)
            grace = self.seconds + HANDBACK_SECONDS
            grace = grace if granted else max(grace, usual)
        self.ops.engine.stop(replica, grace)

    def _grant(self, replica: Replica, seconds: float) -> bool:
        try:
            self.ops.redis.grant_drain(worker_names(replica), seconds)
        except OpsError as error:
            why = f"since the wish did not reach it: {error.message}"
            self.warnings.append(f"{replica.label} gave its job the usual time, {why}")
            return False
        return True


def job_seconds(environment: Mapping[str, str], drain: float | None) -> float:
    """How long a worker with this environment lets its running job go on before it hands it back."""
    if drain is not None:
        return drain
    try:
        return float(environment["WORKER_GRACE_SECONDS"])
    except (KeyError, ValueError):
        return USUAL_SECONDS


def promise(service: Service, drain: float | None) -> str:
    """The fate of the job of a busy worker that leaves, in words."""
    seconds = job_seconds(service.environment, drain)
    return f"its job has up to {seconds:g} s, then it is handed back" if seconds else "its job is handed back"
