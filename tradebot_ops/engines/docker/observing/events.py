"""Events of the containers of one project, as a stream that any thread may close."""

import contextlib
import json
import socket
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import requests

from tradebot_ops.docker.client import Client
from tradebot_ops.engines.base import Event
from tradebot_ops.engines.docker.observing.observe import event_of
from tradebot_ops.engines.docker.observing.remembered import same
from tradebot_ops.engines.docker.spec import ONE_OFF, PROJECT
from tradebot_ops.errors import OpsError

#: The engine also reports every command that a health check runs, and of steps that nobody waits for.
SHOWN = ("start", "die", "oom", "stop", "kill", "restart", "pause", "unpause", "health_status", "destroy")
BEGINNING = datetime.fromtimestamp(0, UTC)


class EventStream(Iterator[Event]):
    """Subscribed once constructed, so that nothing started afterwards is missed. Iterate it in one thread.

    ``since`` None begins with the oldest event that the engine still remembers. ``past`` is what the containers
    remember: it fills the gaps of the engine, except for a follower.
    """

    def __init__(
        self,
        client: Client,
        project: str,
        *,
        since: datetime | None = None,
        follow: bool = False,
        past: Sequence[Event] = (),
    ) -> None:
        self._client = client
        self._closed = False
        now = datetime.now(tz=UTC)
        params = {"filters": json.dumps({"type": ["container"], "label": [f"{PROJECT}={project}"]})}
        params["since"] = stamp(since or BEGINNING)
        if not follow:
            params["until"] = stamp(now)
        with client.translating_errors("subscribing to events", client.deadlines.read):
            self._answer = client.stream("/events", params, endless=follow)
        self._raw = self._read()
        self._shown = self._replicas() if follow else self._with(past)

    def _read(self) -> Iterator[dict[str, Any]]:
        """The engine sends one JSON object a line, each at once."""
        try:
            with self._client.translating_errors("waiting for events"):
                rest = b""
                for chunk in self._answer.raw.stream(decode_content=True):
                    *whole, rest = (rest + chunk).split(b"\n")
                    yield from (json.loads(line) for line in whole if line.strip())
        except (OpsError, ValueError, AttributeError):
            # What the library raises when the connection is shut down under its reader is not worth reporting.
            if not self._closed:
                raise

    def raw(self) -> Iterator[dict[str, Any]]:
        """Events as the engine words them; ends when the stream is closed."""
        return self._raw

    def __next__(self) -> Event:
        return next(self._shown)

    def _replicas(self) -> Iterator[Event]:
        return (event_of(raw) for raw in self._raw if raw["Action"].startswith(SHOWN) and not _of_one_off(raw))

    def _with(self, past: Sequence[Event]) -> Iterator[Event]:
        known = list(self._replicas())
        forgotten = [each for each in past if not any(same(each, event) for event in known)]
        yield from sorted([*known, *forgotten], key=lambda event: event.at)

    def close(self) -> None:
        """End the stream; a thread that waits in it is released."""
        self._closed = True
        shut_down(self._answer)


def _of_one_off(raw: dict[str, Any]) -> bool:
    """A container that was run for one question, ours or `docker compose run`'s, is no replica."""
    return str(raw.get("Actor", {}).get("Attributes", {}).get(ONE_OFF, "")).lower() == "true"


def stamp(moment: datetime) -> str:
    return f"{moment.timestamp():.6f}"


def shut_down(answer: requests.Response) -> None:
    """Closing alone does not wake a reader; shutting the socket down does. The library hides it well."""
    connection = getattr(answer.raw, "_connection", None) or getattr(answer.raw, "connection", None)
    sock = getattr(connection, "sock", None)
    if isinstance(sock, socket.socket):
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
    answer.close()
