"""Refuses bodies over a limit before they are read into memory."""

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from services.api.problems import problem_response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_CLOSE = {"Connection": "close"}
#: What is put below this path is stored as it comes, and never in memory as a whole.
UPLOADS = "/candle-files/"


class BodyLimitMiddleware:
    """413 for a declared length over the limit, and for a chunked body as soon as it grows over it.

    The limit is ``limit`` bytes, and ``uploads`` for what is put below ``UPLOADS``.
    """

    def __init__(self, app: "ASGIApp", limit: int, uploads: int | None = None) -> None:
        self._app = app
        self._limit = limit
        self._uploads = uploads or limit

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        upload = scope["method"] == "PUT" and scope["path"].startswith(UPLOADS)
        limit = self._uploads if upload else self._limit
        if _declared_length(scope) > limit:
            await problem_response(413, _detail(limit), headers=_CLOSE)(scope, receive, send)
        else:
            await self._app(scope, _counted(receive, limit), send)


def _counted(receive: "Receive", limit: int) -> "Receive":
    read = 0

    async def counted() -> "Message":
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > limit:
            # Of all exceptions, this one passes through the framework's body parsing unchanged.
            raise HTTPException(413, _detail(limit), headers=_CLOSE)
        return message

    return counted


def _detail(limit: int) -> str:
    return f"The body is larger than {limit} bytes."


def _declared_length(scope: "Scope") -> int:
    value = dict(scope["headers"]).get(b"content-length", b"")
    return int(value) if value.isdigit() else 0
