"""One JSON request to Prometheus or Alertmanager, with its deadline, and every failure as a sentence.

httpx is loaded with the first request: `tradebot query` needs none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tradebot_ops.errors import LoginRefused, OpsError, Unreachable
from tradebot_ops.settings import Secret
from tradebot_ops.stack.model import Trust
from tradebot_ops.text.sentences import ended

if TYPE_CHECKING:
    import httpx

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


@dataclass(frozen=True)
class Failures:
    """The sentences for ``service``, called ``name`` and asked at ``url``, when it gives no useful answer.

    ``login`` is what it was sent and may repeat; ``trust`` is whom to believe where it answers over TLS.
    """

    name: str
    service: str
    url: str
    timeout: float
    codes: Codes
    login: Login | None = None
    trust: Trust | None = None

    def silent(self) -> Unreachable:
        return Unreachable(
            f"{self.name} at {self.url} did not answer within {self.timeout:g} s.",
            code=self.codes.unreachable,
            hint=f"tradebot logs {self.service} --tail 50; if it hangs: tradebot restart {self.service}",
        )

    def unreachable(self, why: str) -> Unreachable:
        return Unreachable(
            f"{self.name} at {self.url} cannot be reached: {ended(why)}",
            code=self.codes.unreachable,
            hint="tradebot monitoring status; if it does not run: tradebot monitoring start",
        )

    def refused(self) -> LoginRefused:
        return LoginRefused(
            f"{self.name} refused this project's password.",
            code=self.codes.refused,
            hint=f"Is this the right project (-p)? Read a new secret: tradebot restart {self.service}",
        )

    def failed(self, why: str) -> OpsError:
        """An answer that says that the service itself failed."""
        reason = self.login.password.hide_in(why) if self.login else why
        return OpsError(
            f"{self.name} failed: {ended(reason)}",
            code=self.codes.failed,
            hint=f"tradebot logs {self.service} --tail 50",
        )


class Rest:
    """JSON requests to one service, each within ``failures.timeout`` seconds."""

    def __init__(self, failures: Failures) -> None:
        from tradebot_ops.clients.connection import plain
        from tradebot_ops.clients.connection.auth import LoginAuth

        auth = LoginAuth(failures.login) if failures.login else None
        self._client = plain.client(failures.trust, base_url=failures.url, auth=auth, timeout=failures.timeout)
        self._failures = failures

    def request(
        self, method: str, path: str, *, params: Query | None = None, data: Query | None = None, json: Any = None
    ) -> "httpx.Response":
        """The response, whatever its status below 500, except 401 and 403.

        Raises ``OpsError`` with the code for unreachable (no answer in time included), refused or failed.
        """
        import httpx

        from tradebot_ops.clients.connection.secured import refusal

        try:
            response = self._client.request(method, path, params=params, data=data, json=json)
        except httpx.TimeoutException:
            raise self._failures.silent() from None
        except httpx.HTTPError as error:
            raise self._failures.unreachable(refusal(error) or str(error)) from None
        if response.status_code in {401, 403}:
            raise self._failures.refused()
        if response.status_code >= 500 and not _is_json(response):
            raise self.failure(response.text.strip() or f"HTTP {response.status_code}")
        return response

    def failure(self, why: str) -> OpsError:
        """An answer that says that the service itself failed."""
        return self._failures.failed(why)

    def document(self, response: "httpx.Response") -> Any:
        """The JSON of a response; something else answers on that port if there is none."""
        try:
            return response.json()
        except ValueError:
            raise self.failure(f"its answer is no JSON (HTTP {response.status_code})") from None


def _is_json(response: "httpx.Response") -> bool:
    return str(response.headers.get("content-type", "")).startswith("application/json")


def moment(text: str) -> datetime:
    """Go writes up to nine digits of a second; what is beyond six is cut."""
    return datetime.fromisoformat(text)
