"""Counts and times every request under its route's template, so that scanners cannot mint series."""

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from fastapi.routing import APIRoute

from services.common.metrics import Metrics

if TYPE_CHECKING:
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

UNMATCHED = "<unmatched>"
FAILURES = ("500", "503")
"""Answers of the API when it fails itself."""

EVENT_STREAM = b"text/event-stream"

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class MetricsMiddleware:
    """``http_requests_total``, ``http_request_duration_seconds`` and ``http_requests_in_progress``.

    A stream of events is answered once it begins: it lasts for as long as its client listens.
    """

    def __init__(self, app: "ASGIApp", metrics: Metrics) -> None:
        self._app = app
        self._total = metrics.counter("http_requests_total")
        self._duration = metrics.histogram("http_request_duration_seconds")
        self._in_progress = metrics.gauge("http_requests_in_progress")

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        status = "499"  # the client left before there was an answer

        answered = False
        in_progress = self._in_progress.labels(method)
        in_progress.inc()
        started = time.perf_counter()

        def answer() -> None:
            nonlocal answered
            if not answered:
                answered = True
                in_progress.dec()
                endpoint = template(scope)
                self._duration.labels(method, endpoint).observe(time.perf_counter() - started)
                self._total.labels(method, endpoint, status).inc()

        async def observed(message: "Message") -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
                if is_stream(message):
                    answer()
            await send(message)

        try:
            await self._app(scope, receive, observed)
        finally:
            answer()


def expect_failures(metrics: Metrics, routes: "Iterable[BaseRoute]") -> None:
    """Count from zero what these routes may fail with: ``increase()`` does not see a counter's first value."""
    total = metrics.counter("http_requests_total")
    for route in routes:
        if isinstance(route, APIRoute):
            for method in route.methods or ():
                for status in FAILURES:
                    total.labels(method, route.path, status)


def is_stream(start: "Message") -> bool:
    return any(name == b"content-type" and value.startswith(EVENT_STREAM) for name, value in start["headers"])


def template(scope: "Scope") -> str:
    """``/jobs/{job_id}`` once the router has matched."""
    return getattr(scope.get("route"), "path", UNMATCHED)
