"""The application factory. Making an app connects to nothing; its lifespan opens and closes the pools."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import psycopg
import structlog
from fastapi import FastAPI

from services.api import problems
from services.api.alert_store import AlertStore
from services.api.dependencies import Dependencies, make_dependencies
from services.api.middleware.body_limit import BodyLimitMiddleware
from services.api.middleware.context import RequestContextMiddleware
from services.api.middleware.metrics import MetricsMiddleware, expect_failures
from services.api.routes import alerts, dashboard, dead_letters, errors, health, home, job_types, jobs, metrics, workers
from services.api.version import VERSION
from services.common.database import DatabaseUnavailable
from services.common.jobtypes import Registry, registry
from services.common.settings import Settings

if TYPE_CHECKING:
    from fastapi import APIRouter

STORE_ERRORS_S = 2.0
PRUNE_S = 3600.0
log = structlog.get_logger(__name__)
ROUTERS: "tuple[APIRouter, ...]" = (
    home.router,
    jobs.router,
    dead_letters.router,
    job_types.router,
    workers.router,
    errors.router,
    alerts.router,
    dashboard.router,
    health.router,
    metrics.router,
)


def create_app(settings: Settings, job_types: Registry | None = None) -> FastAPI:
    """The API for these settings, with the installation's job types unless others are given."""
    dependencies = make_dependencies(settings, job_types or registry())
    # FastAPI's own pages load scripts from elsewhere; routes/home.py has the API's.
    app = FastAPI(
        title="tradebot", version=VERSION, lifespan=_lifespan, docs_url=None, redoc_url=None, openapi_url=None
    )
    app.state.dependencies = dependencies
    for router in ROUTERS:
        app.include_router(router)
        expect_failures(dependencies.metrics, router.routes)
    problems.install_handlers(app)
    # The last one added is the outermost.
    app.add_middleware(BodyLimitMiddleware, limit=settings.max_body_bytes)
    app.add_middleware(RequestContextMiddleware, errors=dependencies.errors)
    app.add_middleware(MetricsMiddleware, metrics=dependencies.metrics)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    dependencies: Dependencies = app.state.dependencies
    dependencies.open()
    housekeeping = asyncio.create_task(_housekeeping(dependencies))
    try:
        yield
    finally:
        housekeeping.cancel()
        with suppress(asyncio.CancelledError):
            await housekeeping
        await dependencies.board.close()
        await asyncio.to_thread(dependencies.close)


async def _housekeeping(dependencies: Dependencies) -> None:
    pruned_at = float("-inf")
    while True:
        await asyncio.sleep(STORE_ERRORS_S)
        await asyncio.to_thread(dependencies.errors.store)
        if time.monotonic() - pruned_at > PRUNE_S:
            pruned_at = time.monotonic()
            await asyncio.to_thread(_prune, dependencies)


def _prune(dependencies: Dependencies) -> None:
    try:
        gone = AlertStore(dependencies.database).prune(dependencies.settings.alert_history_days)
    except (DatabaseUnavailable, psycopg.Error) as error:
        log.warning("old alerts stay for now", reason=str(error))
        return
    if gone:
        log.info("old alerts removed", count=gone)
