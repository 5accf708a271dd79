"""The streams of a command inside a container, from its first byte on.

The SDK's own ``exec_start`` reads the socket below the reader that took in the headers, and so loses what the engine
sent in the same breath: all output of a quick command.
"""

import socket
from collections.abc import Iterator
from typing import Any, Protocol

import requests
from docker.errors import APIError

from tradebot_ops.docker.client import Client, said_in
from tradebot_ops.engines.docker.observing.logs import HEADER

CHUNK = 65536
STDOUT, STDERR = 1, 2


class Reader(Protocol):
    """The buffered side of a connection that was taken over."""

    def read(self, size: int, /) -> bytes: ...
    def read1(self, size: int, /) -> bytes: ...


def start(client: Client, made: str, *, terminal: bool) -> requests.Response:
    """Ask the engine to turn the connection into the command's streams."""
    api = client.upgrades
    answer = api.post(
        f"{api.base_url}/v{api.api_version}/exec/{made}/start",
        json={"Tty": terminal, "Detach": False},
        headers={"Connection": "Upgrade", "Upgrade": "tcp"},
        stream=True,
        timeout=(client.deadlines.read, None),
    )
    if answer.status_code >= 400:
        raise APIError(answer.reason, answer, said_in(answer))
    return answer


def taken_over(answer: requests.Response) -> tuple[Reader, socket.socket]:
    """Both sides of the connection below HTTP."""
    http: Any = answer.raw._fp  # noqa: SLF001
    return http.fp, http.fp.raw._sock  # noqa: SLF001


def chunks(reader: Reader, *, terminal: bool) -> Iterator[tuple[int, bytes]]:
    """(stream, what came): a terminal has one stream, without one the engine frames two."""
    if terminal:
        while chunk := reader.read1(CHUNK):
            yield STDOUT, chunk
        return
    while len(header := reader.read(HEADER.size)) == HEADER.size:
        stream, length = HEADER.unpack(header)
        yield STDERR if stream == STDERR else STDOUT, reader.read(length)
