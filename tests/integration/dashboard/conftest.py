"""The API as a real server, in front of a Prometheus that tests may break, and a browser before both."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
import uvicorn

from services.api.app import create_app
from services.common.jobtypes import Registry
from services.common.settings import Settings
from tests.integration.dashboard.browser import Page, browser
from tests.prometheus import StandIn, stand_in
from tests.waiting import free_port, until

KEY = "integration-api-key"


@pytest.fixture(autouse=True)
def _quiet() -> None:
    structlog.configure(processors=[], logger_factory=structlog.ReturnLoggerFactory())


@pytest.fixture
def prometheus() -> Iterator[StandIn]:
    with stand_in() as running:
        yield running


class Server:
    """An API that can be stopped and started on the same port. It needs no database to show the dashboard."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        app = create_app(self._settings, Registry())
        config = uvicorn.Config(app, host="127.0.0.1", port=self._port, log_config=None, timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        until(lambda: self._server.started, "the API starts", 20)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(20)
        assert not self._thread.is_alive()


@pytest.fixture
def api(prometheus: StandIn, tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "api_key").write_text(KEY)
    nowhere = "postgresql://nobody@127.0.0.1:1/none"
    settings = Settings(
        api_key_file=tmp_path / "api_key",
        database_url=nowhere,
        redis_url="redis://127.0.0.1:1/0",
        prometheus_url=prometheus.url,
    )
    server = Server(settings)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    with browser(tmp_path) as tab:
        yield tab
