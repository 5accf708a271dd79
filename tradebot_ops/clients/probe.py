"""Does a service answer in its own protocol, now? One cheap question each, without the service's client library.

The clients (redis, psycopg, httpx) cost 150-300 ms to import, too much for `status` and a no-op `up`. What is asked
is what their own tools ask: `PING`, PQping's startup packet, one GET.
"""

import http.client
import socket
import struct
from dataclasses import dataclass
from time import perf_counter

from tradebot_ops.clients.connection import secured
from tradebot_ops.errors import OpsError, Unreachable
from tradebot_ops.stack.model import Probe, Trust

#: Nobody's page is longer, and what sends for ever must end.
_MOST = 8 * 1024**2


@dataclass(frozen=True)
class ProbeResult:
    """One answer: ``detail`` says what came back or what went wrong; ``seconds`` is how long it took."""

    ok: bool
    detail: str
    seconds: float


def ask(probe: Probe, host: str, port: int, timeout: float = 1.0) -> ProbeResult:
    """Ask once. A refused or hanging service is an answer (``ok=False``), not an exception."""
    started = perf_counter()
    try:
        ok, detail = _ASK[probe.protocol](probe, host, port, timeout)
    except TimeoutError:
        ok, detail = False, f"no answer within {timeout:g} s"
    except (OSError, http.client.HTTPException) as error:
        ok, detail = False, _reason(error)
    except OpsError as error:  # of an authority that is not there
        ok, detail = False, error.message
    return ProbeResult(ok, detail, perf_counter() - started)


def status(host: str, port: int, path: str, timeout: float = 3.0, trust: Trust | None = None) -> int:
    """The HTTP status that a stranger gets. Raises ``Unreachable`` where there is no answer."""
    return page(host, port, path, timeout, trust)[0]


def page(host: str, port: int, path: str, timeout: float = 3.0, trust: Trust | None = None) -> tuple[int, str]:
    """The HTTP status and the first megabytes of what a stranger gets. Raises ``Unreachable`` as ``status`` does."""
    try:
        code, body = _page(host, port, path, timeout, trust)
        return code, body.decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(f"{host}:{port} gave no answer: {_reason(error)}.", hint="tradebot status") from None


def connects(host: str, port: int, timeout: float = 1.0) -> bool:
    """Whether a program listens there, as far as this host gets."""
    try:
        with socket.create_connection((host, port), timeout):
            return True
    except OSError:
        return False


def _reason(error: Exception) -> str:
    return secured.refusal(error) or getattr(error, "strerror", None) or str(error) or type(error).__name__


def _tcp(probe: Probe, host: str, port: int, timeout: float) -> tuple[bool, str]:
    with socket.create_connection((host, port), timeout):
        return True, "connected"


def _http(probe: Probe, host: str, port: int, timeout: float) -> tuple[bool, str]:
    found, _ = _page(host, port, probe.path, timeout, probe.trust)
    # A login that is asked for proves the service as well as the page behind it.
    return found < 400 or found == 401, f"HTTP {found}"


def _page(host: str, port: int, path: str, timeout: float, trust: Trust | None) -> tuple[int, bytes]:
    connection = secured.connection(host, port, timeout, trust)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read(_MOST)
    finally:
        connection.close()


def _redis(probe: Probe, host: str, port: int, timeout: float) -> tuple[bool, str]:
    """PING; a server that asks for a password has loaded its data and serves (LOADING is answered before auth)."""
    with socket.create_connection((host, port), timeout) as connection:
        connection.sendall(b"PING\r\n")
        answer = connection.recv(256).decode(errors="replace").strip()
    if answer.startswith(("+PONG", "-NOAUTH")):
        return True, "answers"
    return False, answer or "closed the connection"


def _postgres(probe: Probe, host: str, port: int, timeout: float) -> tuple[bool, str]:
    """libpq's PQping: a startup packet; anything but "cannot connect now" (57P03) means it accepts connections.

    Source: PostgreSQL documentation, "Frontend/Backend Protocol", StartupMessage and ErrorResponse.
    """
    body = struct.pack("!I", 196608) + b"user\0tradebot\0database\0tradebot\0\0"
    with socket.create_connection((host, port), timeout) as connection:
        connection.sendall(struct.pack("!I", len(body) + 4) + body)
        answer = connection.recv(1024)
    if answer[:1] == b"R":
        return True, "accepts connections"
    if answer[:1] == b"E":
        return b"C57P03" not in answer, answer[5:].split(b"M", 1)[-1].split(b"\0", 1)[0].decode(errors="replace")
    return False, "closed the connection"


_ASK = {"tcp": _tcp, "http": _http, "https": _http, "redis": _redis, "postgres": _postgres}
