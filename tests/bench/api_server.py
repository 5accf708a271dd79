"""One server of ``tests.bench.api``: ``python -m tests.bench.api_server KIND PORT``, until SIGTERM.

``real`` is the service as it is, ``bare`` a FastAPI with the same routes and nothing around them, ``metrics`` the bare
one with the metrics' middleware. Each has two more routes that do nothing, for those of the service either need a
database or are not logged. Without its lifespan nothing is connected, so no Postgres or Redis is needed.
"""

import sys

import uvicorn
from fastapi import APIRouter, FastAPI

from services.api.__main__ import server_config
from services.api.app import ROUTERS, create_app
from services.api.middleware.metrics import MetricsMiddleware
from services.common.logging import configure_logging
from services.common.settings import Settings

BARE, METRICS, REAL = "bare", "metrics", "real"

nothing = APIRouter(prefix="/bench")


@nothing.get("/loop/{item}")
async def in_the_loop(item: int) -> dict[str, int]:
    return {"item": item}


@nothing.get("/thread/{item}")
def in_a_thread(item: int) -> dict[str, int]:
    return {"item": item}


def make_app(kind: str) -> FastAPI:
    settings = Settings()
    real = create_app(settings)
    real.include_router(nothing)
    if kind == REAL:
        configure_logging(settings)
        return real
    app = FastAPI()
    app.state.dependencies = real.state.parts
    for router in (*ROUTERS, nothing):
        app.include_router(router)
    if kind == METRICS:
        app.add_middleware(MetricsMiddleware, metrics=app.state.dependencies.metrics)
    return app


def main(kind: str, port: int) -> None:
    config = server_config(make_app(kind), "127.0.0.1", port)
    config.lifespan = "off"
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
