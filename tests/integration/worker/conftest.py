"""A desk to submit jobs at, and workers that are gone after the test."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from services.common.database import Database
from services.common.ledger import DeadLetters, Ledger
from services.common.migrate import migrate
from services.common.settings import Settings
from services.common.transport import Transport, make_broker
from tests.integration.parts import PostgresPart, RedisPart, make_settings
from tests.integration.worker.rig import Desk, WorkerPart, install_job_types
from tests.waiting import until

MakeWorker = Callable[..., WorkerPart]


@pytest.fixture
def desk(settings: Settings) -> Iterator[Desk]:
    yield from open_desk(settings)


def open_desk(settings: Settings) -> Iterator[Desk]:
    database = Database(settings, "desk")
    database.open()
    yield Desk(Ledger(database), DeadLetters(database), Transport(make_broker(settings)))
    database.close()


@pytest.fixture
def make_worker(settings: Settings, tmp_path: Path) -> Iterator[MakeWorker]:
    yield from worker_maker(settings, tmp_path)


def worker_maker(settings: Settings, folder: Path) -> Iterator[MakeWorker]:
    """Start workers by name; afterwards all are stopped, and none has left a process behind."""
    plugins = install_job_types(folder / "plugins")
    made: list[WorkerPart] = []

    def make(name: str = "worker-1", **environment: str) -> WorkerPart:
        worker = WorkerPart(settings, plugins, folder / f"{name}.log", name, environment)
        made.append(worker)
        worker.start()
        until(lambda: worker.heartbeat() is not None, f"{name} beats; see {worker.tail()}")
        return worker

    yield make
    for worker in made:
        worker.stop()
    names = {worker.pid for worker in made}
    until(lambda: not _of(names, folder), "no process of a worker is left")


@dataclass
class Own:
    """Servers of this test alone, to be killed."""

    postgres: PostgresPart
    redis: RedisPart
    settings: Settings
    desk: Desk
    make_worker: MakeWorker


@pytest.fixture
def own(own_postgres: PostgresPart, own_redis: RedisPart, tmp_path: Path) -> Iterator[Own]:
    settings = make_settings(own_postgres, own_redis, tmp_path)
    migrate(settings)
    desks, makers = open_desk(settings), worker_maker(settings, tmp_path)
    yield Own(own_postgres, own_redis, settings, next(desks), next(makers))
    for generator in (makers, desks):
        next(generator, None)


def _of(workers: set[int], folder: Path) -> list[psutil.Process]:
    """Processes of these workers, also those that have lost their parent."""
    found = []
    for process in psutil.process_iter():
        try:
            command, environment = process.cmdline(), process.environ()
        except psutil.Error:
            continue
        ours = str(folder) in environment.get("PYTHONPATH", "")
        if process.pid in workers or (ours and any("services.worker" in word for word in command)):
            found.append(process)
    return found
