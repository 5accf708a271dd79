"""One JSON request to Prometheus or Alertmanager, with its deadline, and every failure as a sentence."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from tradebot_ops.errors import OpsError, Unreachable
from tradebot_ops.settings import Secret

Query = Mapping[str, str | list[str]]


@dataclass(frozen=True)
class Login:
    """Basic authentication."""

    user: str
    password: Secret


@dataclass(frozen=True)
class Codes:
    """The codes of the three ways to fail before there is an answer worth reading."""

    unreachable: str
    refused: str
    failed: str


class Rest:
    """Requests to the service called ``name`` at ``base_url``, each within ``timeout`` seconds."""

    def __init__(self, name: str, service: str, base_url: str, login: Login | None, timeout: float, codes: Codes):
        auth = httpx.BasicAuth(login.user, login.password.reveal()) if login else None
        # No proxy of the environment: these services stand on this host or in the stack's own network.
        self._client = httpx.Client(base_url=base_url, auth=auth, timeout=timeout, trust_env=False)
        self._name, self._service, self._timeout, self._codes = name, service, timeout, codes

    def request(
        self, method: str, path: str, *, params: Query | None = None, data: Query | None = None, json: Any = None
    ) -> httpx.Response:
        """The response, whatever its status below 500, except 401 and 403.

        Raises ``OpsError`` with the code for unreachable (no answer in time included), refused or failed.
        """
        try:
            response = self._client.request(method, path, params=params, data=data, json=json)
        except httpx.TimeoutException:
            raise Unreachable(
                f"{self._name} at {self._client.base_url} did not answer within {self._timeout:g} s",
                code=self._codes.unreachable,
                hint=f"tradebot logs {self._service} --tail 50; if it hangs: tradebot restart {self._service}",
            ) from None
        except httpx.HTTPError as error:
            raise Unreachable(
                f"{self._name} at {self._client.base_url} cannot be reached: {error}",
                code=self._codes.unreachable,
                hint="tradebot monitoring status; if it does not run: tradebot monitoring start",
            ) from None
        if response.status_code in {401, 403}:
            raise OpsError(
                f"{self._name} refused this project's password",
                code=self._codes.refused,
                hint=f"Is this the right project (-p)? Read a new secret: tradebot restart {self._service}",
            )
        if response.status_code >= 500 and not _is_json(response):
            raise self.failure(response.text.strip() or f"HTTP {response.status_code}")
        return response

    def failure(self, why: str) -> OpsError:
        """An answer that says that the service itself failed."""
        return OpsError(
            f"{self._name} failed: {why}", code=self._codes.failed, hint=f"tradebot logs {self._service} --tail 50"
        )

    def document(self, response: httpx.Response) -> Any:
        """The JSON of a response; something else answers on that port if there is none."""
        try:
            return response.json()
        except ValueError:
            raise self.failure(f"its answer is no JSON (HTTP {response.status_code})") from None


def _is_json(response: httpx.Response) -> bool:
    return str(response.headers.get("content-type", "")).startswith("application/json")


def moment(text: str) -> datetime:
    """Go writes up to nine digits of a second; what is beyond six is cut."""
    return datetime.fromisoformat(text)
