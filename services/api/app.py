"""The application factory. Making an app connects to nothing; its lifespan opens and closes the pools."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from fastapi import FastAPI

from services.api import problems
from services.api.dependencies import Dependencies, make_dependencies
from services.api.housekeeping import housekeeping
from services.api.middleware.body_limit import BodyLimitMiddleware
from services.api.middleware.context import RequestContextMiddleware
from services.api.middleware.metrics import MetricsMiddleware, expect_failures
from services.api.middleware.record import RecordMiddleware
from services.api.routes import (
    alerts,
    breakers,
    dashboard,
    dead_letters,
    errors,
    health,
    home,
    job_events,
    job_history,
    job_types,
    jobs,
    metrics,
    queues,
    schedules,
    workers,
)
from services.api.routes.access import calls, keys
from services.api.routes.data import files, series
from services.api.routes.trade import bots, halt
from services.api.security import WithRole
from services.common.jobtypes import Registry, registry
from services.common.settings import Settings
from services.version import VERSION

if TYPE_CHECKING:
    from fastapi import APIRouter

ROUTERS: "tuple[APIRouter, ...]" = (
    home.router,
    job_history.router,
    jobs.router,
    job_events.router,
    dead_letters.router,
    job_types.router,
    queues.router,
    halt.router,
    schedules.router,
    workers.router,
    breakers.router,
    bots.router,
    files.router,
    series.router,
    errors.router,
    keys.router,
    calls.router,
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
        app.include_router(router, dependencies=[WithRole])
        expect_failures(dependencies.metrics, router.routes)
    problems.install_handlers(app, [route for router in ROUTERS for route in router.routes])
    # The last one added is the outermost.
    app.add_middleware(BodyLimitMiddleware, limit=settings.max_body_bytes, uploads=settings.max_upload_bytes)
    app.add_middleware(RecordMiddleware, calls=dependencies.calls)
    app.add_middleware(RequestContextMiddleware, errors=dependencies.errors)
    app.add_middleware(MetricsMiddleware, metrics=dependencies.metrics)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    dependencies: Dependencies = app.state.dependencies
    dependencies.open()
    keeping = asyncio.create_task(housekeeping(dependencies))
    try:
        yield
    finally:
        dependencies.job_streams.close()
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping
        await dependencies.board.close()
        await asyncio.to_thread(dependencies.close)
