"""Real parts shared by all integration tests. Each test gets its own database and its own Redis number."""

import itertools
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import pytest

from services.common.migrate import migrate
from services.common.settings import Settings
from tests.integration.parts import (
    PostgresPart,
    RedisPart,
    make_postgres,
    make_redis,
    make_settings,
    new_database,
    private_folder,
)

P = TypeVar("P", PostgresPart, RedisPart)

_redis_numbers = itertools.cycle(range(16))


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresPart]:
    """A running Postgres shared by the session. Tests that kill it use ``own_postgres``."""
    yield from _running(make_postgres, "postgres")


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisPart]:
    """A running Redis shared by the session. Tests that kill it use ``own_redis``."""
    yield from _running(make_redis, "redis")


@pytest.fixture
def own_postgres() -> Iterator[PostgresPart]:
    """A Postgres for one test, which may kill, pause and start it again."""
    yield from _running(make_postgres, "postgres")


@pytest.fixture
def own_redis() -> Iterator[RedisPart]:
    yield from _running(make_redis, "redis")


@pytest.fixture(scope="session")
def migrated(postgres: PostgresPart) -> str:
    """Name of a migrated, empty database to copy: much faster than migrating one for each test."""
    name = new_database(postgres)
    migrate(Settings(database_url=postgres.url(name), database_password_file=postgres.password_file))
    return name


@pytest.fixture
def settings(postgres: PostgresPart, migrated: str, redis_server: RedisPart, tmp_path: Path) -> Iterator[Settings]:
    """Settings with a migrated database and an empty Redis number that nobody else uses."""
    name = new_database(postgres, template=migrated)
    number = next(_redis_numbers)
    redis_server.client(number).flushdb()
    yield make_settings(postgres, redis_server, tmp_path, database=name, redis_number=number)
    with closing(postgres.connect()) as admin:
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    redis_server.client(number).flushdb()


def _running(make: Callable[[Path], P], name: str) -> Iterator[P]:
    folder = private_folder(name)
    try:
        part = make(folder)
        try:
            part.start()
            yield part
        finally:
            part.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
