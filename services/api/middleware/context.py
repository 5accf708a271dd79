"""Gives every request an id, logs its end, and turns an exception that nobody foresaw into a counted 500.

Our own instead of asgi-correlation-id, which was tried: it leaves the id off the 500 that the server answers, takes the
place of an id that is no UUID unless it is given our pattern, and knows neither `traceparent` nor structlog, which is
most of what stands here.
"""

import re
import time
import uuid
from typing import TYPE_CHECKING

import structlog

from services.api.error_tracker import ErrorTracker
from services.api.middleware.metrics import template
from services.api.problems import MEDIA_TYPE, problem_body

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger("services.api.access")

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")
_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_QUIET = frozenset({"/metrics", "/health/live", "/health/ready"})


class RequestContextMiddleware:
    """``X-Request-ID`` is taken over when it is sane, made up otherwise, and always sent back."""

    def __init__(self, app: "ASGIApp", errors: ErrorTracker) -> None:
        self._app = app
        self._errors = errors

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        request_id = _request_id(headers)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id, trace_id=_trace_id(headers, request_id))
        status = 0

        async def stamped(message: "Message") -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
            await send(message)

        started = time.perf_counter()
        try:
            await self._app(scope, receive, stamped)
        except Exception as error:
            self._failed(error)
            if status:
                raise  # half an answer is out: the server must cut the connection
            await _internal_error(stamped)
        finally:
            _access(scope, status, time.perf_counter() - started)

    def _failed(self, error: Exception) -> None:
        mark = self._errors.record(error)
        log.error("unhandled error", exc_info=error, fingerprint=mark)


async def _internal_error(send: "Send") -> None:
    body = problem_body(500, "Something failed that nobody foresaw; GET /errors lists it.")
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _access(scope: "Scope", status: int, seconds: float) -> None:
    write = log.debug if scope["path"] in _QUIET and status < 400 else log.info
    client = scope.get("client")
    write(
        "request",
        method=scope["method"],
        path=scope["path"],
        endpoint=template(scope),
        status=status,
        duration_ms=round(seconds * 1000, 2),
        client=client[0] if client else None,
    )


def _request_id(headers: dict[bytes, bytes]) -> str:
    given = headers.get(b"x-request-id", b"")
    return given.decode("ascii") if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def _trace_id(headers: dict[bytes, bytes], request_id: str) -> str:
    """Of W3C's ``traceparent``, else the request's id: whatever a job logs can be found by either."""
    match = _TRACEPARENT.fullmatch(headers.get(b"traceparent", b""))
    return match[1].decode("ascii") if match else request_id
