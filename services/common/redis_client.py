"""Redis with short timeouts: it carries ids and heartbeats, and nobody may wait long for it."""

from collections.abc import Callable
from typing import Any

import redis
from pydantic import SecretStr
from redis.backoff import NoBackoff
from redis.connection import parse_url
from redis.credentials import CredentialProvider
from redis.retry import Retry

from services.common.settings import Settings

CONNECT_TIMEOUT_S = 1.0
ANSWER_TIMEOUT_S = 2.0

Observe = Callable[[str, str], None]
"""Called with the operation (``get``, ``evalsha`` …) and ``ok`` or ``error``."""


class ObservedRedis(redis.Redis):
    """Reports every operation to ``observe``. Pipelines count as the one round trip they are: not at all."""

    observe: Observe | None = None

    def execute_command(self, *args: Any, **options: Any) -> Any:
        status = "error"
        try:
            answer = super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
            status = "ok"
        finally:
            if self.observe is not None:
                self.observe(str(args[0]).split(" ", 1)[0].lower(), status)
        return answer


def redis_client(settings: Settings, observe: Observe | None = None) -> ObservedRedis:
    """A pooled client that connects at first use.

    A stale connection is replaced once, quietly; a hung server is waited for only once.
    """
    pool = redis.ConnectionPool(
        **_target(settings),
        decode_responses=False,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        socket_timeout=ANSWER_TIMEOUT_S,
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
    )
    client = ObservedRedis(connection_pool=pool)
    client.observe = observe
    return client


class _Credentials(CredentialProvider):
    """Asked at each connect, so that no pool keeps a readable password, and another one is used at once."""

    def __init__(self, password: Callable[[], SecretStr], user: str | None) -> None:
        self._password, self._user = password, user

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        password = self._password().get_secret_value()
        return (self._user, password) if self._user else (password,)


def _target(settings: Settings) -> dict[str, Any]:
    """Where to connect and as whom. The secret file outranks a password in the URL, which may also name a user."""
    options = parse_url(settings.redis_url)  # type: ignore[no-untyped-call]
    written = options.pop("password", None)
    password = settings.redis_password() or (SecretStr(written) if written else None)
    if password is None:
        return dict(options)
    user = options.pop("username", None)
    return {**options, "credential_provider": _Credentials(lambda: settings.redis_password() or password, user)}
