"""One Prometheus and Alertmanager for the tests that only look; tests that break them start their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.monitoring.healthy import SERVICES, WORKERS
from tests.integration.monitoring.rig import Rig, running


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with running(tmp_path_factory.mktemp("rig"), SERVICES, WORKERS) as started:
        yield started


@pytest.fixture
def own_rig(tmp_path: Path) -> Iterator[Rig]:
    with running(tmp_path, SERVICES, WORKERS) as started:
        yield started
