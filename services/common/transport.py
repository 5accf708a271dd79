"""Dramatiq on Redis, tuned to rerun a killed worker's messages soon. It only carries ids."""

from collections.abc import Iterable
from typing import TypeVar
from uuid import UUID

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker

from services.common.jobtypes import JobType
from services.common.redis_client import redis_client
from services.common.settings import Settings

QUEUE = "jobs"
LONG_QUEUE = f"{QUEUE}.long"
"""For types that may run for minutes or hours: a short job does not wait behind them."""

QUEUES = (QUEUE, LONG_QUEUE)

DEAD_QUEUE = f"{QUEUE}.dlq"
ACTOR = "run_job"
"""Name of the one actor; its only argument is the job's id as text."""

HEARTBEAT_TIMEOUT_MS = 15_000
"""A consumer silent for this long is dead, and its messages go back to the queue."""

MAINTENANCE_CHANCE = 50_000
"""Of a million commands, how many look for dead consumers: about one a second from one idle worker."""

Broker = TypeVar("Broker", bound=RedisBroker)

# Dramatiq appends. Others may have sent behind it meanwhile, and a worker may have fetched it.
_TO_FRONT = """
if redis.call("lrem", KEYS[1], -1, ARGV[1]) == 1 then
  redis.call("lpush", KEYS[1], ARGV[1])
end
"""

_EPOCH_KEY = "tradebot:transport:epoch"


class TransportUnavailable(Exception):  # noqa: N818 - reads as what it is
    """Redis does not take the message: it stays in the ledger, and the sweeper sends it later."""


def make_broker(
    settings: Settings,
    *,
    client: redis.Redis | None = None,
    middleware: Iterable[dramatiq.Middleware] = (),
    kind: type[Broker] = RedisBroker,  # type: ignore[assignment]
    queues: Iterable[str] = QUEUES,
) -> Broker:
    """A broker with its queues declared. Retries and limits are the ledger's work, not middleware's."""
    broker = kind(
        client=client or redis_client(settings),
        middleware=list(middleware),
        maintenance_chance=MAINTENANCE_CHANCE,
        heartbeat_timeout=HEARTBEAT_TIMEOUT_MS,
    )
    for queue in queues:
        broker.declare_queue(queue)
    return broker


def queue_of(job_type: JobType | None) -> str:
    """The queue of jobs of this type; an unknown one ends soon."""
    return LONG_QUEUE if job_type and job_type.long else QUEUE


def redis_list(queue: str) -> str:
    """The list of waiting messages in Redis, as Dramatiq names it."""
    return f"dramatiq:{queue}"


class Transport:
    """Sends ids to the queue, and notices when Redis has forgotten them."""

    def __init__(self, broker: RedisBroker) -> None:
        self._broker = broker
        self._to_front = broker.client.register_script(_TO_FRONT)

    def send(self, job_id: UUID, queue: str = QUEUE, *, delay_s: float = 0.0, ahead: bool = False) -> None:
        """Hand the id to the workers, now or in ``delay_s`` seconds; raises ``TransportUnavailable``.

        ``ahead`` puts it before all that wait, for a job that has waited before.
        """
        message: dramatiq.Message[None] = dramatiq.Message(
            queue_name=queue, actor_name=ACTOR, args=(str(job_id),), kwargs={}, options={}
        )
        try:
            sent = self._broker.enqueue(message, delay=round(delay_s * 1000) if delay_s > 0 else None)
            if ahead:
                self._to_front(keys=[redis_list(queue)], args=[sent.options["redis_message_id"]])
        except (redis.RedisError, OSError) as error:
            raise TransportUnavailable(f"Redis did not take the message: {error}") from error

    def forgot_everything(self) -> bool:
        """True once after Redis lost its data (or was new): every id ever sent is gone.

        Raises ``TransportUnavailable``.
        """
        try:
            return bool(self._broker.client.set(_EPOCH_KEY, "1", nx=True))
        except (redis.RedisError, OSError) as error:
            raise TransportUnavailable(f"Redis does not answer: {error}") from error

    def close(self) -> None:
        self._broker.close()
