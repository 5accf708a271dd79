"""What may be wrong with Redis and Postgres: each a block in which it is so."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager

import psycopg
import pytest

from tests.integration.worker.conftest import Own
from tests.integration.worker.outages.line import Line

SLOW_S = 0.4

Fault = Callable[[Own, Line], AbstractContextManager[None]]


@contextmanager
def full_redis(own: Own, line: Line) -> Iterator[None]:
    own.redis.fill()
    yield
    own.redis.make_room()


@contextmanager
def hung_redis(own: Own, line: Line) -> Iterator[None]:
    own.redis.pause()
    try:
        yield
    finally:
        own.redis.resume()


@contextmanager
def wiped_redis(own: Own, line: Line) -> Iterator[None]:
    own.redis.client().flushall()
    yield


@contextmanager
def slow_redis(own: Own, line: Line) -> Iterator[None]:
    line.delay_s = SLOW_S
    yield
    line.delay_s = 0.0


@contextmanager
def hung_postgres(own: Own, line: Line) -> Iterator[None]:
    own.postgres.pause()
    try:
        yield
    finally:
        own.postgres.resume()


@contextmanager
def read_only_postgres(own: Own, line: Line) -> Iterator[None]:
    own.postgres.read_only("on")
    yield
    own.postgres.read_only("off")


@contextmanager
def locked_jobs(own: Own, line: Line) -> Iterator[None]:
    with own.postgres.connect() as other, other.transaction():
        other.execute("LOCK TABLE job IN ACCESS EXCLUSIVE MODE")
        yield


@contextmanager
def no_connections(own: Own, line: Line) -> Iterator[None]:
    """All are taken, those that the services had as well."""
    with ExitStack() as stack:
        taken: list[psycopg.Connection] = []

        def take() -> None:
            while True:
                try:
                    connection = own.postgres.connect()
                except psycopg.OperationalError as error:
                    assert "too many clients" in str(error) or "connection slots" in str(error)  # noqa: PT017 - the end
                    return
                taken.append(stack.enter_context(closing(connection)))

        def ended() -> int:
            """Connections of others, which try to come back before they are taken."""
            end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename IS NOT NULL AND pid <> ALL(%s)"
            return len(taken[0].execute(end, ([each.info.backend_pid for each in taken],)).fetchall())

        take()
        while ended():
            take()
        yield


@contextmanager
def full_disk(own: Own, line: Line) -> Iterator[None]:
    folder = own.postgres.folder
    if not os.path.ismount(folder):
        pytest.skip("no small disk can be mounted here")
    ballast = folder / "ballast"
    with ballast.open("wb") as stream:
        while free := shutil.disk_usage(folder).free:
            stream.write(b"\0" * min(free, 1024**2))
            stream.flush()
    yield
    ballast.unlink()


REDIS: tuple[Fault, ...] = (full_redis, hung_redis, wiped_redis, slow_redis)
POSTGRES: tuple[Fault, ...] = (hung_postgres, read_only_postgres, locked_jobs, no_connections, full_disk)
