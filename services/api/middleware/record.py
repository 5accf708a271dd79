"""Records each change that was asked with a key, before its answer is sent: who, what, and how it ended."""

import asyncio
from typing import TYPE_CHECKING

import psycopg
import structlog

from services.api.access.calls import ApiCalls
from services.api.middleware.metrics import template
from services.api.security import COMMAND, Caller, acting
from services.common.database import DatabaseUnavailable

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger("services.api.record")

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_LONGEST_NAME = 100
#: A store was away, so that nothing was changed; and to record it, too, would hold up the answer.
NOT_DONE = 503


class RecordMiddleware:
    """A record that cannot be kept is a line in the log: the change itself is done, and its answer is sent.

    Left out is what the command `tradebot` asks with the stack's own key, for that is in its audit log.
    """

    def __init__(self, app: "ASGIApp", calls: ApiCalls) -> None:
        self._app, self._calls = app, calls

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] != "http" or scope["method"] in _READS:
            await self._app(scope, receive, send)
            return

        answered = False

        async def recorded(message: "Message") -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                await self._record(scope, message["status"])
            await send(message)

        try:
            await self._app(scope, receive, recorded)
        except Exception:
            if not answered:
                await self._record(scope, 500)
            raise

    async def _record(self, scope: "Scope", status: int) -> None:
        by = _by(scope)
        if not by or status == NOT_DONE:
            return
        call = {
            "by": by,
            "method": scope["method"],
            "route": template(scope),
            "path": scope["path"],
            "status": status,
            "request_id": structlog.contextvars.get_contextvars().get("request_id", ""),
        }
        try:
            await asyncio.to_thread(self._calls.add, **call)
        except (DatabaseUnavailable, psycopg.Error) as error:
            log.error("a change was not recorded", reason=str(error), **call)  # noqa: TRY400 - the reason is enough


def _by(scope: "Scope") -> str:
    """Who asked with a key; empty for nobody, and for what the command `tradebot` records itself."""
    caller: Caller | None = scope.get("state", {}).get("caller")
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    own = caller is not None and caller.name is None and headers.get(b"user-agent", "").startswith(COMMAND)
    if caller is None or own:
        return ""
    called = headers.get(b"x-requested-by", "").encode("ascii", "replace").decode()
    return acting(caller, called[:_LONGEST_NAME])
