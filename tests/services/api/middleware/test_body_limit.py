"""How large a body may be: by what it declares, and by what comes."""

import asyncio
import json
from typing import Any

import pytest
from starlette.exceptions import HTTPException

from services.api.middleware.body_limit import BodyLimitMiddleware

LIMIT, UPLOADS = 10, 100


class App:
    """Reads all of the body, and answers nothing."""

    read = 0

    async def __call__(self, _scope: Any, receive: Any, _send: Any) -> None:
        more = True
        while more:
            message = await receive()
            self.read += len(message.get("body", b""))
            more = message.get("more_body", False)


def asked(
    *parts: bytes,
    declared: bytes | None = None,
    method: str = "POST",
    path: str = "/jobs",
    uploads: int | None = UPLOADS,
) -> tuple[int, int | None]:
    """How much of it the application read, and the status of the refusal, if it was refused."""
    app, sent = App(), []
    left = [{"type": "http.request", "body": part, "more_body": True} for part in parts] + [{"type": "http.request"}]

    async def receive() -> Any:
        return left.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [] if declared is None else [(b"content-length", declared)]
    scope: Any = {"type": "http", "method": method, "path": path, "headers": headers}
    try:
        asyncio.run(BodyLimitMiddleware(app, LIMIT, uploads)(scope, receive, send))
    except HTTPException as error:
        closes, detail, status = error.headers == {"Connection": "close"}, error.detail, error.status_code
    else:
        if not sent:
            return app.read, None
        closes = (b"connection", b"close") in sent[0]["headers"]
        detail, status = json.loads(sent[1]["body"])["detail"], sent[0]["status"]
    assert closes, "the rest of the body would be taken for the next request"
    assert detail.startswith("The body is larger than ")
    return app.read, status


@pytest.mark.parametrize(
    ("declared", "answer"),
    [(b"10", (10, None)), (b"11", (0, 413)), (b"9" * 30, (0, 413)), (b"many", (10, None)), (None, (10, None))],
)
def test_what_declares_too_much_is_not_read_at_all(declared: bytes | None, answer: tuple[int, int | None]) -> None:
    assert asked(b"x" * 10, declared=declared) == answer


def test_what_declares_nothing_is_read_until_it_is_too_much() -> None:
    assert asked(b"x" * 6, b"x" * 4) == (10, None)
    assert asked(b"x" * 6, b"x" * 5, b"x" * 1000) == (6, 413)


@pytest.mark.parametrize(
    ("method", "path", "large"),
    [
        ("PUT", "/candle-files/a.csv", True),
        ("POST", "/candle-files/a.csv", False),
        ("PUT", "/candle-files", False),
        ("PUT", "/jobs", False),
    ],
)
def test_files_of_prices_may_be_larger(method: str, path: str, large: bool) -> None:
    assert asked(b"x" * 100, method=method, path=path)[1] == (None if large else 413)
    assert asked(b"x" * 101, method=method, path=path)[1] == 413
    assert asked(b"x" * 11, method=method, path=path, uploads=None)[1] == 413, "nobody said so"


def test_what_is_no_request_is_passed_on() -> None:
    seen: list[Any] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["type"])

    scope: Any = {"type": "lifespan"}
    asyncio.run(BodyLimitMiddleware(app, LIMIT)(scope, None, None))  # type: ignore[arg-type]
    assert seen == ["lifespan"]
