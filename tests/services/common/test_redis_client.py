"""Where the services' Redis client connects, and that its pool keeps no password that can be read."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from pydantic import SecretStr
from redis import Connection, SSLConnection

from services.common.redis_client import redis_client
from services.common.settings import Settings

PASSWORD = "p@ss/w:rd"


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    return tmp_path / "password"


def _texts(value: object, seen: set[int]) -> Iterator[str]:
    """All text that is reachable from a value without opening a ``SecretStr``."""
    if isinstance(value, SecretStr | type) or id(value) in seen:
        return
    seen.add(id(value))
    yield f"{value!r} {value}"
    parts = list(value.values()) if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    for part in (*parts, *getattr(value, "__dict__", {}).values()):
        yield from _texts(part, seen)


def _shows(text: str, value: object) -> bool:
    return any(text in each for each in _texts(value, set()))


@pytest.mark.parametrize("url", ["redis://redis:6379/0", "redis://:p%40ss%2Fw%3Ard@redis:6379/0"])
def test_the_pool_shows_no_password(url: str, secret_file: Path) -> None:
    own = redis_client(Settings(redis_url=url, redis_password_file=secret_file if "@" not in url else None))
    pool = own.connection_pool
    assert _shows("redis", pool.connection_kwargs), "the walk reaches what the pool keeps"
    assert not _shows(PASSWORD, pool.connection_kwargs)
    assert PASSWORD not in repr(pool)
    assert not _shows(PASSWORD, pool.make_connection())
    assert pool.connection_kwargs["credential_provider"].get_credentials() == (PASSWORD,)


def test_the_secret_file_outranks_the_url_and_the_user_stays(secret_file: Path) -> None:
    url = "rediss://me:other@redis:1/2"
    pool = redis_client(Settings(redis_url=url, redis_password_file=secret_file)).connection_pool
    assert pool.connection_kwargs["credential_provider"].get_credentials() == ("me", PASSWORD)
    assert pool.connection_class is SSLConnection
    assert (pool.connection_kwargs["host"], pool.connection_kwargs["port"], pool.connection_kwargs["db"]) == (
        "redis",
        1,
        2,
    )


def test_without_a_password_nothing_logs_in() -> None:
    pool = redis_client(Settings(redis_url="redis://redis:6379/0")).connection_pool
    assert isinstance(pool.make_connection(), Connection)
    assert pool.connection_kwargs.get("credential_provider") is None
