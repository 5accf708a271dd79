"""Refuses bodies over a limit before they are read into memory."""

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from services.api.problems import problem_response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_CLOSE = {"Connection": "close"}


class BodyLimitMiddleware:
    """413 for a declared length over ``limit`` bytes, and for a chunked body as soon as it grows over it."""

    def __init__(self, app: "ASGIApp", limit: int) -> None:
        self._app = app
        self._limit = limit
        self._detail = f"The body is larger than {limit} bytes."

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif _declared_length(scope) > self._limit:
            await problem_response(413, self._detail, headers=_CLOSE)(scope, receive, send)
        else:
            await self._app(scope, self._counted(receive), send)

    def _counted(self, receive: "Receive") -> "Receive":
        read = 0

        async def counted() -> "Message":
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._limit:
                # Of all exceptions, this one passes through the framework's body parsing unchanged.
                raise HTTPException(413, self._detail, headers=_CLOSE)
            return message

        return counted


def _declared_length(scope: "Scope") -> int:
    value = dict(scope["headers"]).get(b"content-length", b"")
    return int(value) if value.isdigit() else 0
