"""What happened to the containers of one project, as a stream that any thread may close."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import requests
import urllib3

from tradebot_ops.engines.base import Event
from tradebot_ops.engines.docker.client import Client
from tradebot_ops.engines.docker.observe import event_of
from tradebot_ops.engines.docker.spec import PROJECT


class EventStream(Iterator[Event]):
    """Subscribed once constructed, so that nothing started afterwards is missed. Iterate it in one thread."""

    def __init__(self, client: Client, project: str, *, since: datetime | None = None, follow: bool = False) -> None:
        self._client = client
        self._closed = False
        now = datetime.now(tz=UTC)
        params: dict[str, Any] = {
            "filters": json.dumps({"type": ["container"], "label": [f"{PROJECT}={project}"]}),
            # A follower who names no beginning wants what comes from now on; the others want all there is.
            "since": f"{(since or (now if follow else datetime.fromtimestamp(0, UTC))).timestamp():.6f}",
        }
        if not follow:
            params["until"] = f"{now.timestamp():.6f}"
        with client.speaking("subscribing to events", client.deadlines.read):
            self._answer = client.stream("/events", params, endless=follow)
        self._lines = self._read()

    def _read(self) -> Iterator[bytes]:
        """One JSON object a line, each sent as a chunk of its own."""
        rest = b""
        for chunk in self._answer.raw.stream(decode_content=True):
            *whole, rest = (rest + chunk).split(b"\n")
            yield from (line for line in whole if line.strip())

    def raw(self) -> Iterator[dict[str, Any]]:
        """Events as the engine words them; ends when the stream is closed."""
        with self._client.speaking("waiting for events"):
            try:
                for line in self._lines:
                    yield json.loads(line)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError, AttributeError):
                if not self._closed:
                    raise

    def __next__(self) -> Event:
        return event_of(next(self._events))

    def close(self) -> None:
        """End the stream; a thread that waits in it is released."""
        self._closed = True
        self._answer.close()
