"""The stack's own API, over httpx, which is loaded with the first client. Answers are the API's JSON; problems become
sentences.
"""

import http.client
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tradebot_ops.errors import LoginRefused, OpsError, Refused, StackHalted, Unreachable
from tradebot_ops.settings import Secret
from tradebot_ops.text.sentences import ended
from tradebot_ops.version import __version__

if TYPE_CHECKING:
    import httpx

    from tradebot_ops.stack.model import Trust

#: A bot is asked one thing after the other, and read until it has done them.
BOT_S = 90.0


@dataclass(frozen=True)
class Answer:
    """One answer, whatever its status; ``seconds`` is the round trip."""

    status: int
    text: str
    seconds: float


class Api:
    """A client for one API. Every call ends within ``timeout`` seconds; ``by`` is who gives the commands.

    Raises ``OpsError``: TB-0501 unreachable, ``LoginRefused`` TB-0502 refused our key, TB-0104 a request that cannot be
    done (with the fields the API named), TB-0105 a job it does not know, ``StackHalted`` TB-0910 a job
    while the stack is halted.
    """

    def __init__(
        self, base_url: str, key: Secret, timeout: float = 10.0, by: str = "api", trust: "Trust | None" = None
    ) -> None:
        from tradebot_ops.clients.connection import plain
        from tradebot_ops.clients.connection.auth import KeyAuth

        self._key, self._trust = key, trust
        auth = KeyAuth("X-API-Key", key)
        self._client = plain.client(trust, base_url=base_url, timeout=timeout, auth=auth)
        # As far as a header carries it; events name it.
        self._client.headers["User-Agent"] = f"tradebot/{__version__}"
        self._client.headers["X-Requested-By"] = by.encode("ascii", "replace").decode()[:100]

    def submit(
        self, job_type: str, payload: Mapping[str, Any], not_before: str | None = None, notify: str | None = None
    ) -> dict[str, Any]:
        """Submit a job, for now or for an ISO time with a zone; ``notify`` people of its ``end``, or once ``dead``."""
        wishes = {"not_before": not_before, "notify": notify}
        given = {name: value for name, value in wishes.items() if value is not None}
        return self._call("POST", "/jobs", json={"type": job_type, "payload": payload} | given)

    def submit_once(self, job_type: str, payload: Mapping[str, Any], key: str) -> bool:
        """Submit a job unless one was submitted with this key; whether it was submitted now."""
        headers = {"Idempotency-Key": key}
        answer = self._ask("POST", "/jobs", json={"type": job_type, "payload": payload}, headers=headers)
        return "Idempotent-Replayed" not in answer.headers

    def job(self, job_id: str) -> dict[str, Any]:
        return self._call("GET", f"/jobs/{job_id}")

    def known_job(self, job_id: str) -> dict[str, Any] | None:
        """The job, or None where there is none of this id."""
        response = self._ask("GET", f"/jobs/{job_id}", accept=(404,))
        return None if response.status_code == 404 else dict(response.json())

    def jobs(
        self,
        state: str | None,
        job_type: str | None,
        limit: int,
        cursor: str | None = None,
        fingerprint: str | None = None,
        beginning: str | None = None,
        traceback: bool | None = None,
    ) -> dict[str, Any]:
        """A page of them, newest first; ``beginning`` is that of their ids."""
        wanted = {"state": state, "type": job_type, "fingerprint": fingerprint, "limit": limit, "cursor": cursor}
        wanted |= {"id": beginning, "traceback": traceback}
        return self._call("GET", "/jobs", params={name: value for name, value in wanted.items() if value is not None})

    def cancel(self, job_id: str) -> dict[str, Any]:
        return self._call("DELETE", f"/jobs/{job_id}")

    def check_alert_token(self, token: Secret) -> None:
        """Raise ``LoginRefused`` TB-0502 unless the API takes alerts with this token; sends none."""
        from tradebot_ops.clients.connection.auth import KeyAuth

        request = self._client.build_request("POST", "/alerts/webhook", json={})
        auth = KeyAuth("Authorization", Secret(f"Bearer {token.reveal()}"))
        response = self._sent("POST /alerts/webhook", request, auth=auth)
        if response.status_code in {401, 403}:
            raise _problem(response, token)

    def recover(self) -> list[dict[str, Any]]:
        """Give jobs whose workers have vanished to others; which."""
        return list(self._call("POST", "/jobs/recover")["jobs"])

    def prunable(self, older_than_s: float, states: Sequence[str]) -> int:
        """How many jobs ended so long ago."""
        body = {"older_than_s": older_than_s, "states": list(states), "dry_run": True}
        return int(self._call("POST", "/jobs/prune", json=body)["jobs"])

    def prune(self, older_than_s: float, states: Sequence[str]) -> dict[str, Any]:
        """Remove a batch of jobs that ended so long ago; how many, and whether there are more."""
        return self._call("POST", "/jobs/prune", json={"older_than_s": older_than_s, "states": list(states)})

    def job_stats(self, job_type: str | None, since_s: float) -> dict[str, Any]:
        """Figures of each type, of jobs that ended within so many seconds."""
        wanted = {"since_s": since_s} | ({"type": job_type} if job_type is not None else {})
        return self._call("GET", "/jobs/stats", params=wanted)

    def quarantined(self) -> list[dict[str, Any]]:
        """Groups and types of dead jobs that are set aside."""
        return list(self._call("GET", "/dead-letters/quarantine")["quarantined"])

    def quarantine(self, name: str, reason: str) -> dict[str, Any]:
        return self._call("PUT", f"/dead-letters/quarantine/{quote(name, safe='')}", json={"reason": reason})

    def lift_quarantine(self, name: str) -> bool:
        """End a quarantine; False where there is none."""
        path = f"/dead-letters/quarantine/{quote(name, safe='')}"
        return self._ask("DELETE", path, accept=(404,)).status_code != 404

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

    def queues(self) -> list[dict[str, Any]]:
        """Every type of job: what waits, runs or is dead, and what was set for it."""
        return list(self._call("GET", "/queues")["queues"])

    def change_queue(self, job_type: str, **changes: Any) -> dict[str, Any]:
        """Set ``paused``, ``closed``, ``max_running`` and the ``reason``; what is left out stays as it is."""
        return self._call("PATCH", f"/queues/{quote(job_type, safe='')}", json=changes)

    def purge_queue(self, job_type: str, reason: str) -> dict[str, Any]:
        """Cancel a batch of the jobs that wait; how many, and whether that were all."""
        return self._call("POST", f"/queues/{quote(job_type, safe='')}/purge", params={"reason": reason})

    def halted(self) -> dict[str, Any]:
        """The latest halt of the stack, and whether it is in force."""
        return self._call("GET", "/halt")

    def halt(self, reason: str) -> dict[str, Any]:
        """Let no job start and take none."""
        return self._call("POST", "/halt", json={"reason": reason})

    def resume(self, reason: str) -> dict[str, Any]:
        return self._call("DELETE", "/halt", params={"reason": reason})

    def schedules(self) -> list[dict[str, Any]]:
        return list(self._call("GET", "/schedules")["schedules"])

    def put_schedule(self, name: str, **fields: Any) -> dict[str, Any]:
        """Make or replace a schedule: ``type``, ``payload``, ``cron``, ``zone``, ``notify``."""
        return self._call("PUT", f"/schedules/{quote(name, safe='')}", json=fields)

    def pause_schedule(self, name: str, *, paused: bool) -> dict[str, Any]:
        return self._call("PATCH", f"/schedules/{quote(name, safe='')}", json={"paused": paused})

    def remove_schedule(self, name: str) -> None:
        self._ask("DELETE", f"/schedules/{quote(name, safe='')}")

    def breakers(self) -> list[dict[str, Any]]:
        """Circuit breakers that ever saw a failure, by name."""
        return list(self._call("GET", "/breakers")["breakers"])

    def reset_breaker(self, name: str) -> dict[str, Any]:
        return self._call("POST", f"/breakers/{name}/reset")

    def bots(self, *, read: bool = False) -> list[dict[str, Any]]:
        """The bot that trades elsewhere, as it was read last or, with ``read``, is now; empty where none is watched."""
        return list(self._call("GET", "/bots", params={"read": read})["bots"])

    def halt_bots(self, *, close: bool) -> dict[str, Any]:
        """Have the watched bot open nothing more, or close all; as it was read afterwards, and what it did not take."""
        return self._call("POST", "/bots/halt", json={"close": close}, timeout=BOT_S)

    def workers(self) -> list[dict[str, Any]]:
        return list(self._call("GET", "/workers")["workers"])

    def drain_worker(self, name: str, reason: str) -> dict[str, Any]:
        """Let a worker, by the name in its heartbeat, take no more jobs."""
        return self._call("POST", f"/workers/{quote(name, safe='')}/drain", json={"reason": reason})

    def resume_worker(self, name: str, reason: str) -> dict[str, Any]:
        return self._call("POST", f"/workers/{quote(name, safe='')}/resume", json={"reason": reason})

    def hand_over(self, name: str, reason: str) -> list[dict[str, Any]]:
        """Give the jobs of a worker that was ended to others; which."""
        return list(self._call("DELETE", f"/workers/{quote(name, safe='')}", params={"reason": reason})["jobs"])

    def upload(self, name: str, file: Path) -> None:
        """Store a candle file under this name, in place of one before; it is read piece by piece."""
        with file.open("rb") as stream:
            self._ask("PUT", f"/candle-files/{quote(name, safe='')}", content=stream)

    def remove_upload(self, name: str) -> None:
        """Remove an uploaded candle file, if it is still there."""
        self._ask("DELETE", f"/candle-files/{quote(name, safe='')}", accept=(404,))

    def series(self) -> list[dict[str, Any]]:
        """Stored series of candles, by symbol: first, last, rejected rows."""
        return list(self._call("GET", "/series")["series"])

    def series_lines(self, symbol: str, interval: str) -> Iterator[str] | None:
        """The lines of a series' CSV as they come, None where there is no such.

        Raises ``Unreachable`` TB-0501 where they do not come to their end.
        """
        path = f"/series/{quote(interval, safe='')}/{quote(symbol, safe='')}"
        response = self._sent(f"GET {path}", self._client.build_request("GET", path), stream=True)
        if response.is_success:
            return self._lines(response)
        response.read()
        if response.status_code == 404:
            return None
        raise _problem(response, self._key)

    def _lines(self, response: "httpx.Response") -> Iterator[str]:
        import httpx

        try:
            yield from response.iter_lines()
        except httpx.HTTPError as error:
            raise self._unreachable(f"its answer was cut off ({error})") from None
        finally:
            response.close()

    def remove_series(self, symbol: str, interval: str) -> int | None:
        """Remove a series; how many candles it had, None where there is no such."""
        answer = self._ask("DELETE", f"/series/{quote(interval, safe='')}/{quote(symbol, safe='')}", accept=(404,))
        return int(answer.json()["candles"]) if answer.is_success else None

    def alerts(self, limit: int, name: str | None = None) -> list[dict[str, Any]]:
        """Notifications that the API received, of all alerts or of one, most recent first."""
        wanted = {"limit": limit} | ({"name": name} if name is not None else {})
        return list(self._call("GET", "/alerts", params=wanted)["alerts"])

    def alert_stats(self, since_s: float, name: str | None = None) -> list[dict[str, Any]]:
        """Figures of each alert, or of one, from firings that began within so many seconds."""
        wanted = {"since_s": since_s} | ({"name": name} if name is not None else {})
        return list(self._call("GET", "/alerts/stats", params=wanted)["alerts"])

    def acknowledge(
        self, name: str, labels: Mapping[str, str], reason: str, since_s: float | None, *, false_positive: bool
    ) -> list[dict[str, Any]]:
        """Acknowledge the firings of an alert; returns them, none where none is stored."""
        body = {"name": name, "labels": dict(labels), "reason": reason, "since_s": since_s}
        answer = self._ask("POST", "/alerts/ack", accept=(404,), json=body | {"false_positive": false_positive})
        return [] if answer.status_code == 404 else list(answer.json()["acknowledged"])

    def create_key(self, name: str, role: str, expires_at: str | None) -> dict[str, Any]:
        """Make a named key; its value is in this answer, and nowhere else."""
        return self._call("POST", "/keys", json={"name": name, "role": role, "expires_at": expires_at})

    def keys(self) -> list[dict[str, Any]]:
        """Every named key without its value, the oldest first, with those that ended."""
        return list(self._call("GET", "/keys")["keys"])

    def revoke_key(self, name: str) -> dict[str, Any] | None:
        """End a key for good; None where none of this name is in force."""
        answer = self._ask("DELETE", f"/keys/{quote(name, safe='')}", accept=(404, 422))
        return dict(answer.json()) if answer.is_success else None

    def api_calls(self, limit: int, since_s: float | None = None, by: str | None = None) -> list[dict[str, Any]]:
        """Changes that others than this command asked for, the newest first."""
        wanted = {"limit": limit, "since_s": since_s, "by": by}
        given = {name: value for name, value in wanted.items() if value is not None}
        return list(self._call("GET", "/api-calls", params=given)["calls"])

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

    def knock(self, method: str, path: str, headers: Mapping[str, str] | None = None, *, keyed: bool = False) -> Answer:
        """The answer to a request without our key, as a stranger gets it, whatever its status; or with it."""
        began = time.perf_counter()
        options = {} if keyed else {"auth": None}
        request = self._client.build_request(method, path, headers=headers)
        response = self._sent(f"{method} {path}", request, **options)
        return Answer(response.status_code, response.text, time.perf_counter() - began)

    def announce(self, path: str, length: int) -> int:
        """The status that a POST gets which only declares a body of so many bytes; none of it is sent."""
        from tradebot_ops.clients.connection import secured

        url = self._client.base_url
        connection = secured.connection(url.host, url.port, 5, self._trust)
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

        from tradebot_ops.clients.connection.secured import refusal

        try:
            return self._client.send(request, **options)
        except httpx.TimeoutException:
            raise Unreachable(
                f"The API at {self._client.base_url} did not answer {what} in time.",
                code="TB-0501",
                hint="tradebot status; tradebot logs api --tail 50",
            ) from None
        except httpx.HTTPError as error:
            raise self._unreachable(refusal(error) or str(error)) from None

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
    fields = tuple(field for field in fields if field not in str(message))
    if response.status_code in {401, 403}:
        return LoginRefused(
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
    if response.status_code == 423:
        return StackHalted(
            ended(str(message)), code="TB-0910", hint="tradebot status shows it; to end it: tradebot resume"
        )
    hint = "Correct what is named above." if document.get("errors") else ""
    return Refused(ended(str(message)), code="TB-0104", hint=hint, detail=fields)
