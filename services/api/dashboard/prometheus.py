"""Range queries to Prometheus, each bounded in time and size."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import httpx
from pydantic import SecretStr

from services.api.basic_auth import login
from services.api.dashboard.window import Window
from services.api.live_secret import LiveSecret
from services.api.trust import Trust, context, extensions

TIMEOUT_S = 5.0
MAX_ANSWER_BYTES = 8 * 1024**2


@dataclass(frozen=True)
class Found:
    """One series: its labels, and (Unix seconds, value) pairs; a value may be NaN."""

    labels: Mapping[str, str]
    samples: Sequence[tuple[float, float]]


class Source(Protocol):
    """Where the dashboard's data is from. Both raise :class:`QueryFailed`."""

    async def ask(self, expr: str, shown: Window) -> list[Found]:
        """Every series of ``expr`` over the window."""

    async def rules(self) -> list[Any]:
        """Groups of alerting rules with the alerts of each, as Prometheus' API has them."""


class QueryFailed(Exception):  # noqa: N818 - reads as what it is
    """A query without an answer; ``unreachable`` when no other query would have one either."""

    def __init__(self, message: str, *, unreachable: bool = False) -> None:
        super().__init__(message)
        self.unreachable = unreachable


class Prometheus:
    """A client for one Prometheus; connects when first asked."""

    def __init__(
        self,
        url: str,
        user: str,
        password: SecretStr | LiveSecret | None,
        timeout_s: float = TIMEOUT_S,
        trust: Trust | None = None,
    ) -> None:
        self._url = url
        self._trust = trust
        self._login = login(user, password)
        self._timeout_s = timeout_s
        self._client: httpx.AsyncClient | None = None

    async def ask(self, expr: str, shown: Window) -> list[Found]:
        """Every series of ``expr`` over the window. Raises :class:`QueryFailed` within the timeout."""
        # POST, because an expression may be longer than a URL may be.
        form = {"query": expr, "start": shown.start, "end": shown.end, "step": shown.step}
        data = await self._data(
            "series", "POST", "/api/v1/query_range", data=form | {"timeout": f"{self._timeout_s:g}s"}
        )
        try:
            return [
                Found(found["metric"], [(float(at), float(value)) for at, value in found["values"]])
                for found in data["result"]
            ]
        except (ValueError, KeyError, TypeError) as error:
            raise QueryFailed("Prometheus answered with something else than series") from error

    async def rules(self) -> list[Any]:
        """Groups of alerting rules with their alerts. Raises :class:`QueryFailed` within the timeout."""
        data = await self._data("rules", "GET", "/api/v1/rules", params={"type": "alert"})
        try:
            return list(data["groups"])
        except (KeyError, TypeError) as error:
            raise QueryFailed("Prometheus answered with something else than rules") from error

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _data(self, what: str, method: str, path: str, **sent: Mapping[str, Any]) -> Any:
        """The ``data`` of the answer, which should be ``what``. Raises :class:`QueryFailed` within the timeout."""
        if not self._url:
            raise QueryFailed("no Prometheus is configured (PROMETHEUS_URL is empty)", unreachable=True)
        try:
            async with asyncio.timeout(self._timeout_s):
                status, body = await self._read(method, path, sent)
        except (TimeoutError, httpx.TimeoutException) as error:
            message = f"Prometheus at {self._url} did not answer within {self._timeout_s:g} s"
            raise QueryFailed(message, unreachable=True) from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise QueryFailed(f"Prometheus at {self._url} cannot be reached: {error}", unreachable=True) from error
        return _data_of(what, status, body)

    async def _read(self, method: str, path: str, sent: Mapping[str, Any]) -> tuple[int, bytes]:
        """Status and body, which is bounded."""
        body = bytearray()
        async with self._opened().stream(method, path, extensions=extensions(self._trust), **sent) as response:
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    raise QueryFailed(f"the answer is larger than {MAX_ANSWER_BYTES // 1024**2} MiB: too many series")
        return response.status_code, bytes(body)

    def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                base_url=self._url,
                auth=self._login,
                timeout=self._timeout_s,
                trust_env=False,
                verify=context(self._trust),
            )
        return self._client


def _data_of(what: str, status: int, body: bytes) -> Any:
    if status == 401:
        message = "Prometheus refused our password (PROMETHEUS_USER, PROMETHEUS_PASSWORD_FILE)"
        raise QueryFailed(message, unreachable=True)
    try:
        document = json.loads(body)
        if document["status"] != "success":
            raise QueryFailed(str(document["error"]))
        return document["data"]
    except (ValueError, KeyError, TypeError) as error:
        raise QueryFailed(f"Prometheus answered HTTP {status} with something else than {what}") from error
