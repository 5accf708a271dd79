"""The stack that is drilled: its processes, its ledger as its owner sees it, its API as a client sees it."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
import psycopg
import redis

from tests.drill import faults
from tests.drill.crashes import job
from tests.integration.docker import rig
from tests.integration.tradebot import Tradebot
from tradebot_ops.context import Ops
from tradebot_ops.errors import NoAddress
from tradebot_ops.settings import load_settings

TABLES = """
CREATE TABLE drill_plain (job text NOT NULL);
CREATE TABLE drill_effect (job text NOT NULL);
GRANT SELECT, INSERT ON drill_plain, drill_effect TO tradebot_app;
"""
#: A job that lost three processes is poison, as it should be: none is robbed of its last one here.
_RUNNING = "SELECT id, worker FROM job WHERE state = 'running' AND lease_until > now() AND kills < 2"


@dataclass
class Target:
    stack: Tradebot

    def __post_init__(self) -> None:
        selected = {"project": self.stack.project, "engine": self.stack.engine}
        self.ops = Ops(load_settings(selected, self.stack.environment(), self.stack.cwd))
        with self.ledger() as ledger:
            ledger.execute(TABLES)

    def ledger(self) -> psycopg.Connection[Any]:
        address = faults.postgres(self.stack, self.ops)
        return psycopg.connect(address, autocommit=True, connect_timeout=3, options="-c statement_timeout=10000")

    def answers(self) -> bool:
        with contextlib.suppress(psycopg.Error, NoAddress), self.ledger():
            return True
        return False

    def api(self) -> tuple[str, str]:
        """Address and key."""
        return f"http://{self.ops.engine.endpoint('api', 8010)}", self.ops.secret("api_key").reveal()

    def wipe_redis(self) -> None:
        address = self.ops.engine.endpoint("redis", 6379)
        password = self.ops.secret("redis_password").reveal()
        with contextlib.closing(redis.Redis(address.host, address.port, password=password, socket_timeout=3)) as client:
            client.flushall()

    def running(self) -> dict[int, UUID]:
        """Jobs that may be robbed of their process, by the number of their worker."""
        with contextlib.suppress(psycopg.Error, NoAddress), self.ledger() as ledger:
            return {_number(worker): job_id for job_id, worker in ledger.execute(_RUNNING)}
        return {}

    def processes(self, service: str, number: int = 1) -> list[psutil.Process]:
        """All of a replica, parents first; empty while it is not there."""
        found = [each for each in self.ops.engine.list() if (each.service, each.number) == (service, number)]
        if not found or not found[0].pid:
            return []
        try:
            first = psutil.Process(found[0].pid)
            return [first, *first.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def process(self, service: str, word: str, number: int = 1) -> psutil.Process | None:
        """The first process of the replica that is a program or module of this name."""
        for process in self.processes(service, number):
            with contextlib.suppress(psutil.NoSuchProcess):
                names = {process.name(), *process.cmdline()[1:3]}
                if word in names:
                    return process
        return None


def _number(worker: str) -> int:
    digits = worker.rpartition("-")[2]
    return int(digits) if digits.isdigit() else 1


def add_job_type(files: Path) -> None:
    shutil.copyfile(job.__file__, files / "services" / "jobs" / "crash_drill.py")


@contextlib.contextmanager
def image_of(files: Path, tag: str) -> Iterator[str]:
    """An image with these services, on the packages of the image built here."""
    with rig.api() as engine:
        (files / "Dockerfile").write_text("FROM tradebot/app:latest\nCOPY services /app/services\n", encoding="utf-8")
        log = list(engine.build(path=os.fspath(files), tag=tag, rm=True, forcerm=True, decode=True))
        assert not [each for each in log if "error" in each], log[-1]
        try:
            yield tag
        finally:
            engine.remove_image(tag, force=True)
