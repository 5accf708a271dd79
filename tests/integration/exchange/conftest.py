"""Workers and a desk, as the tests of workers have them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.common.settings import Settings
from tests.integration.worker.conftest import MakeWorker, open_desk, worker_maker
from tests.integration.worker.rig import Desk
from tests.services.jobs.exchange.fake import FakeExchange, served


@pytest.fixture
def desk(settings: Settings) -> Iterator[Desk]:
    yield from open_desk(settings)


@pytest.fixture
def make_worker(settings: Settings, tmp_path: Path) -> Iterator[MakeWorker]:
    yield from worker_maker(settings, tmp_path)


@pytest.fixture
def exchange(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeExchange]:
    pytest.importorskip("ccxt")
    with served(monkeypatch) as found:
        yield found
