"""The stack's own API, over httpx, which is loaded with the first client. Answers are the API's JSON; problems become
sentences.
"""

import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tradebot_ops.errors import OpsError, Unreachable
from tradebot_ops.settings import Secret
from tradebot_ops.text.sentences import ended

if TYPE_CHECKING:
    import httpx


@dataclass(frozen=True)
class Answer:
    """One answer, whatever its status; ``seconds`` is the round trip."""

    status: int
    text: str
    seconds: float


class Api:
    """A client for one API. Every call ends within ``timeout`` seconds.

    Raises ``OpsError``: TB-0501 unreachable, TB-0502 refused our key, TB-0104 a request that cannot be done
    (with the fields the API named), TB-0105 a job it does not know.
    """

    def __init__(self, base_url: str, key: Secret, timeout: float = 10.0) -> None:
        from tradebot_ops.clients.connection import plain
        from tradebot_ops.clients.connection.auth import KeyAuth

        self._key = key
        auth = KeyAuth("X-API-Key", key)
        self._client = plain.client(base_url=base_url, timeout=timeout, auth=auth)

    def submit(self, job_type: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        return self._call("POST", "/jobs", json={"type": job_type, "payload": payload})

    def job(self, job_id: str) -> dict[str, Any]:
        return self._call("GET", f"/jobs/{job_id}")

    def jobs(
        self,
        state: str | None,
        job_type: str | None,
        limit: int,
        cursor: str | None = None,
        fingerprint: str | None = None,
        beginning: str | None = None,
    ) -> dict[str, Any]:
        """A page of them, newest first; ``beginning`` is that of their ids."""
        wanted = {"state": state, "type": job_type, "fingerprint": fingerprint, "limit": limit, "cursor": cursor}
        wanted |= {"id": beginning}
        return self._call("GET", "/jobs", params={name: value for name, value in wanted.items() if value is not None})

    def cancel(self, job_id: str) -> dict[str, Any]:
        return self._call("DELETE", f"/jobs/{job_id}")

    def dead_groups(self) -> list[dict[str, Any]]:
        """Dead jobs by what they failed with, the largest group first."""
        return list(self._call("GET", "/dead-letters", params={"limit": 200})["groups"])

    def replay(self, job_id: str, *, again: bool) -> dict[str, Any] | None:
        """Queue a dead job once more; None where it is not dead any more, or died ``again`` and that is not wanted."""
        response = self._ask("POST", f"/dead-letters/{job_id}/replay", accept=(409,), params={"again": again})
        return None if response.status_code == 409 else dict(response.json())

    def remove_dead(self, job_id: str) -> None:
        """Remove a dead job with all that is known of it."""
        self._ask("DELETE", f"/dead-letters/{job_id}")

    def workers(self) -> list[dict[str, Any]]:
        return list(self._call("GET", "/workers")["workers"])

    def alerts(self, limit: int, name: str | None = None) -> list[dict[str, Any]]:
        """Notifications that the API received, of all alerts or of one, most recent first."""
        wanted = {"limit": limit} | ({"name": name} if name is not None else {})
        return list(self._call("GET", "/alerts", params=wanted)["alerts"])

    def metrics(self) -> str:
        """Its metrics in Prometheus' text format."""
        return self._ask("GET", "/metrics").text

    def job_types(self) -> dict[str, Any]:
        return self._call("GET", "/job-types")

    def health(self) -> dict[str, Any]:
        """The health document, also when the API calls itself down."""
        return self._call("GET", "/health", accept=(503,))

    def panels(self, range_name: str) -> dict[str, Any]:
        """The dashboard's panels with their series; also when Prometheus is away, which each panel then says."""
        return self._call("GET", "/dashboard/panels", params={"range": range_name})

    def knock(self, method: str, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """The answer to a request without our key, as a stranger gets it, whatever its status."""
        began = time.perf_counter()
        response = self._sent(f"{method} {path}", self._client.build_request(method, path, headers=headers), auth=None)
        return Answer(response.status_code, response.text, time.perf_counter() - began)

    def announce(self, path: str, length: int) -> int:
        """The status that a POST gets which only declares a body of so many bytes; none of it is sent."""
        url = self._client.base_url
        connection = http.client.HTTPConnection(url.host, url.port, timeout=5)
        try:
            connection.putrequest("POST", path)
            connection.putheader("Content-Length", str(length))
            connection.endheaders()
            return connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(str(error) or type(error).__name__) from None
        finally:
            connection.close()

    def _call(self, method: str, path: str, accept: tuple[int, ...] = (), **options: Any) -> dict[str, Any]:
        return dict(self._ask(method, path, accept, **options).json())

    def _ask(self, method: str, path: str, accept: tuple[int, ...] = (), **options: Any) -> "httpx.Response":
        response = self._sent(f"{method} {path}", self._client.build_request(method, path, **options))
        if response.is_success or response.status_code in accept:
            return response
        raise _problem(response, self._key)

    def _sent(self, what: str, request: "httpx.Request", **options: Any) -> "httpx.Response":
        import httpx

        try:
            return self._client.send(request, **options)
        except httpx.TimeoutException:
            raise Unreachable(
                f"The API at {self._client.base_url} did not answer {what} in time.",
                code="TB-0501",
                hint="tradebot status; tradebot logs api --tail 50",
            ) from None
        except httpx.HTTPError as error:
            raise self._unreachable(str(error)) from None

    def _unreachable(self, why: str) -> Unreachable:
        return Unreachable(
            f"The API at {self._client.base_url} cannot be reached: {why}.",
            code="TB-0501",
            hint="tradebot status; if it does not run: tradebot up",
        )


def _problem(response: "httpx.Response", key: Secret) -> OpsError:
    """An RFC 9457 problem document, or whatever came instead, as a sentence."""
    try:
        document = dict(json.loads(key.hide_in(response.text)))
    except (ValueError, TypeError):
        document = {}
    message = document.get("detail") or document.get("title") or f"The API answered HTTP {response.status_code}."
    fields = tuple(f"{item.get('field')}: {item.get('message')}" for item in document.get("errors") or ())
    if response.status_code in {401, 403}:
        return OpsError(
            f"The API refused this project's key: {ended(str(message))}",
            code="TB-0502",
            hint="Is this the right project (-p)? A new key takes effect with: tradebot restart api",
        )
    if response.status_code == 404:
        return OpsError(ended(str(message)), code="TB-0105", hint="tradebot jobs list")
    if response.status_code >= 500:
        return OpsError(
            f"The API failed: {ended(str(message))}",
            code="TB-0508",
            hint="tradebot status; tradebot logs api --tail 50",
            detail=fields,
        )
    return OpsError(
        ended(str(message)), code="TB-0104", hint="Correct the fields named above." if fields else "", detail=fields
    )
