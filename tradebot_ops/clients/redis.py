"""What the command itself writes into Redis: how many workers were asked for, how long one may take to stop."""

from collections.abc import Iterable

import redis

from tradebot_ops.errors import OpsError
from tradebot_ops.settings import Secret

#: Read by the API, which exports it as ``tradebot_workers_desired``.
WORKERS_DESIRED = "tradebot:workers:desired"
#: Read by a worker that is told to stop, with its name behind it.
DRAIN_PREFIX = "tradebot:drain:"
DRAIN_KEPT_SECONDS = 60
TIMEOUT_SECONDS = 3.0


class Redis:
    """A client for one Redis. Every method raises ``OpsError`` TB-0530 when Redis cannot be asked."""

    def __init__(self, host: str, port: int, password: Secret) -> None:
        self._client = redis.Redis(
            host=host,
            port=port,
            password=password.reveal(),
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
        )

    def desire_workers(self, count: int) -> None:
        """Remember how many workers should run."""
        try:
            self._client.set(WORKERS_DESIRED, count)
        except redis.RedisError as error:
            raise OpsError(
                f"Redis cannot be told how many workers are wanted: {error}.",
                code="TB-0530",
                hint="tradebot status; tradebot logs redis --tail 50",
            ) from None

    def grant_drain(self, names: Iterable[str], seconds: float) -> None:
        """Let the worker of one of these names take so long for its job when it is told to stop, within a minute."""
        try:
            pipeline = self._client.pipeline(transaction=False)
            for name in names:
                pipeline.set(DRAIN_PREFIX + name, f"{seconds:g}", ex=DRAIN_KEPT_SECONDS)
            pipeline.execute()
        except redis.RedisError as error:
            raise OpsError(
                f"Redis cannot be told how long a worker may take to stop: {error}.",
                code="TB-0530",
                hint="tradebot status; tradebot logs redis --tail 50",
            ) from None
