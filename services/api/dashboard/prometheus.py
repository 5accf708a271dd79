"""Range queries to Prometheus, each bounded in time and size."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from pydantic import SecretStr

from services.api.dashboard.window import Window

TIMEOUT_S = 5.0
MAX_ANSWER_BYTES = 8 * 1024**2


@dataclass(frozen=True)
class Found:
    """One series: its labels, and (Unix seconds, value) pairs; a value may be NaN."""

    labels: Mapping[str, str]
    samples: Sequence[tuple[float, float]]


Ask = Callable[[str, Window], Awaitable[list[Found]]]
"""Asks one expression over a window; raises :class:`QueryFailed`."""


class QueryFailed(Exception):  # noqa: N818 - reads as what it is
    """A query without an answer; ``unreachable`` when no other query would have one either."""

    def __init__(self, message: str, *, unreachable: bool = False) -> None:
        super().__init__(message)
        self.unreachable = unreachable


class _Login(httpx.Auth):
    """Basic authentication; httpx's own keeps user and password as base64."""

    def __init__(self, user: str, password: SecretStr) -> None:
        self._user, self._password = user, password

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        yield from httpx.BasicAuth(self._user, self._password.get_secret_value()).auth_flow(request)


class Prometheus:
    """A client for one Prometheus; connects when first asked."""

    def __init__(self, url: str, user: str, password: SecretStr | None, timeout_s: float = TIMEOUT_S) -> None:
        self._url = url
        self._login = None if password is None else _Login(user, password)
        self._timeout_s = timeout_s
        self._client: httpx.AsyncClient | None = None

    async def ask(self, expr: str, shown: Window) -> list[Found]:
        """Every series of ``expr`` over the window. Raises :class:`QueryFailed` within the timeout."""
        if not self._url:
            raise QueryFailed("no Prometheus is configured (PROMETHEUS_URL is empty)", unreachable=True)
        form = {"query": expr, "start": shown.start, "end": shown.end, "step": shown.step}
        try:
            async with asyncio.timeout(self._timeout_s):
                status, body = await self._post(form)
        except (TimeoutError, httpx.TimeoutException) as error:
            message = f"Prometheus at {self._url} did not answer within {self._timeout_s:g} s"
            raise QueryFailed(message, unreachable=True) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise QueryFailed(f"Prometheus at {self._url} cannot be reached: {error}", unreachable=True) from error
        return _series(status, body)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _post(self, form: Mapping[str, Any]) -> tuple[int, bytes]:
        """Status and body; POST, because an expression may be longer than a URL may be."""
        form = {**form, "timeout": f"{self._timeout_s:g}s"}
        body = bytearray()
        async with self._opened().stream("POST", "/api/v1/query_range", data=form) as response:
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    raise QueryFailed(f"the answer is larger than {MAX_ANSWER_BYTES // 1024**2} MiB: too many series")
        return response.status_code, bytes(body)

    def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                base_url=self._url, auth=self._login, timeout=self._timeout_s, trust_env=False
            )
        return self._client


def _series(status: int, body: bytes) -> list[Found]:
    if status == 401:
        message = "Prometheus refused our password (PROMETHEUS_USER, PROMETHEUS_PASSWORD_FILE)"
        raise QueryFailed(message, unreachable=True)
    try:
        document = json.loads(body)
        if document["status"] != "success":
            raise QueryFailed(str(document["error"]))
        return [
            Found(found["metric"], [(float(at), float(value)) for at, value in found["values"]])
            for found in document["data"]["result"]
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise QueryFailed(f"Prometheus answered HTTP {status} with something else than series") from error
