"""The API as a real server of this process, so that tests can give it job types and routes of their own."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import structlog
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field

from services.api.app import create_app
from services.common.database import Database
from services.common.jobtypes import JobContext, JobType, Quarantined, Registry
from services.common.settings import Settings
from tests.waiting import free_port, until


class EchoPayload(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str
    times: int = Field(default=1, ge=1, le=10)
    numbers: list[float] = []


def _echo(ctx: JobContext, payload: EchoPayload) -> dict[str, Any]:
    return payload.model_dump()


ECHO = JobType(name="echo", version=3, Payload=EchoPayload, run=_echo, max_attempts=2)
JOB_TYPES = Registry({"echo": ECHO}, (Quarantined("broken", "ImportError: no module named nowhere"),))
KEY = {"X-API-Key": "integration-api-key"}

Change = Callable[[FastAPI], object]
Serve = Callable[..., httpx.Client]


@pytest.fixture(autouse=True)
def _quiet() -> None:
    """Servers in threads would write into the test's output."""
    structlog.configure(processors=[], logger_factory=structlog.ReturnLoggerFactory())


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    """Connections of a test's own."""
    database = Database(settings, "test", max_size=8, timeout_s=20)
    database.open()
    yield database
    database.close()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve an app for these settings; gives a client. ``change`` may add routes before it starts."""
    running: list[tuple[uvicorn.Server, threading.Thread, httpx.Client]] = []

    def start(settings: Settings, change: Change | None = None) -> httpx.Client:
        app = create_app(settings, JOB_TYPES)
        if change is not None:
            change(app)
        port = free_port()
        server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)
        running.append((server, thread, client))
        until(lambda: server.started, "the API starts", 20)
        return client

    yield start
    for server, thread, client in running:
        client.close()
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture
def api(serve: Serve, settings: Settings) -> httpx.Client:
    """The API on a healthy stack."""
    return serve(settings)
