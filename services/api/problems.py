"""Every error is RFC 9457 ``application/problem+json``, with the request's id and the fields at fault."""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match, Route

from services.common.database import DatabaseUnavailable
from services.common.ledger import StackHalted

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5

FieldError = tuple[str, str]
"""The field's name (``payload.fast``) and what is wrong with it."""


class Problem(Exception):  # noqa: N818 - reads as what it is
    """An answer that is an error: raise it anywhere below a route."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}


def problem_body(status: int, detail: str, errors: Sequence[FieldError] = ()) -> bytes:
    """The JSON document; the request's id comes from the logging context."""
    document = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "errors": [{"field": name, "message": message} for name, message in errors],
        "request_id": structlog.contextvars.get_contextvars().get("request_id", ""),
    }
    return json.dumps(document).encode()


def problem_response(
    status: int, detail: str, errors: Sequence[FieldError] = (), headers: Mapping[str, str] | None = None
) -> Response:
    body = problem_body(status, detail, errors)
    return Response(body, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def install_handlers(app: FastAPI, routes: Iterable[BaseRoute]) -> None:
    """``routes`` are all of the app's, to say which methods a resource has."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, partial(_http, [each for each in routes if isinstance(each, Route)]))
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(DatabaseUnavailable, _database_away)
    app.add_exception_handler(StackHalted, _halted)


def _problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - registered for this type only
    return problem_response(error.status, error.detail, error.errors, error.headers)


def _http(routes: Sequence[Route], request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    headers = error.headers
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers = {**(headers or {}), "Allow": ", ".join(_allowed(routes, request))}
    return problem_response(error.status_code, str(error.detail), headers=headers)


def _allowed(routes: Sequence[Route], request: Request) -> list[str]:
    """Methods of the resource; Starlette names those of one route alone, and each method is a route."""
    found = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    return sorted({method for route in found if route.path == found[0].path for method in route.methods or ()})


def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    found = error.errors()
    if any(detail["type"] == "json_invalid" for detail in found):
        return problem_response(400, "The body is not valid JSON.")
    errors = field_errors(found)
    return problem_response(422, "; ".join(f"{name}: {message}" for name, message in errors), errors)


def _database_away(request: Request, error: Exception) -> Response:
    request.app.state.dependencies.errors.record(error)
    detail = f"The database is not available, try again in {RETRY_AFTER_S} s: {error}"
    return problem_response(503, detail, headers={"Retry-After": str(RETRY_AFTER_S)})


def _halted(_request: Request, error: Exception) -> Response:
    return problem_response(HTTPStatus.LOCKED, f"{error}.")


def field_errors(found: Sequence[Any], prefix: str = "") -> list[FieldError]:
    """Pydantic's errors as pairs of field and message; ``prefix`` is the place of what was validated."""
    return [(prefix + _field(detail["loc"]), _message(detail)) for detail in found]


def _field(location: Sequence[Any]) -> str:
    steps = location[1:] if location and location[0] in {"body", "query", "path", "header"} else location
    return ".".join(map(str, steps)) or "body"


def _message(detail: Mapping[str, Any]) -> str:
    if detail["type"] == "extra_forbidden":
        return "is not a field here"
    return str(detail["msg"]).removeprefix("Value error, ")
