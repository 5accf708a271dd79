"""Servers of one test alone, on a small disk and behind a line that can be slow, and an API on them."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.common.migrate import migrate
from tests.integration.parts import PostgresPart, RedisPart, make_postgres, make_settings, private_folder
from tests.integration.worker.conftest import Own, open_desk, worker_maker
from tests.integration.worker.outages.api import ApiPart
from tests.integration.worker.outages.line import Line

DISK_MB = 192
#: So that the log of writes does not fill the disk by itself.
SMALL_LOG = ("-c", "max_wal_size=48MB", "-c", "min_wal_size=32MB")


@pytest.fixture
def own_postgres() -> Iterator[PostgresPart]:
    """On a disk of its own where one can be mounted, which takes root."""
    folder = private_folder("postgres")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m,mode=700", "tmpfs", str(folder)]
    mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True).returncode == 0
    try:
        part = make_postgres(folder)
        part.command.extend(SMALL_LOG)
        try:
            part.start()
            yield part
        finally:
            part.stop()
    finally:
        if mounted:
            subprocess.run(["umount", str(folder)], check=True)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def line(own_redis: RedisPart) -> Iterator[Line]:
    line = Line(own_redis.port)
    yield line
    line.close()


@pytest.fixture
def own(own_postgres: PostgresPart, own_redis: RedisPart, line: Line, tmp_path: Path) -> Iterator[Own]:
    """Redis is reached through the line."""
    settings = make_settings(own_postgres, own_redis, tmp_path).model_copy(
        update={"redis_url": f"redis://127.0.0.1:{line.port}/0"}
    )
    migrate(settings)
    desks, makers = open_desk(settings), worker_maker(settings, tmp_path)
    yield Own(own_postgres, own_redis, settings, next(desks), next(makers))
    for generator in (makers, desks):
        next(generator, None)


@pytest.fixture
def api(own: Own, tmp_path: Path) -> Iterator[ApiPart]:
    part = ApiPart(own.settings, tmp_path / "plugins", tmp_path / "api.log")
    part.start()
    yield part
    part.stop()
