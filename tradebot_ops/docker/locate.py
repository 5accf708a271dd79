"""Where the Docker engine of this user is, and whether it answers; cheap enough to ask before choosing an engine.

The order is Docker's own: ``DOCKER_HOST``, then ``DOCKER_CONTEXT``, then the current context of
``~/.docker/config.json``, then the default socket. The SDK is not imported here: it costs more than the question.
"""

import hashlib
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from tradebot_ops.errors import OpsError

DEFAULT_HOST = "unix:///var/run/docker.sock"
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True)
class Location:
    """``host`` as Docker writes it; ``source`` says who chose it; ``tls`` is a folder with ca, cert and key."""

    host: str = DEFAULT_HOST
    source: str = "the default socket"
    tls: Path | None = None
    api_version: str = ""  # a ceiling from DOCKER_API_VERSION

    @property
    def socket(self) -> str:
        """The path of a local socket, or nothing for a remote engine."""
        return self.host.removeprefix("unix://") if self.host.startswith("unix://") else ""

    @property
    def local(self) -> bool:
        """Whether containers run on this host, so that its files can be mounted and their addresses reached."""
        return bool(self.socket) or urlsplit(self.host).hostname in LOOPBACK

    def __str__(self) -> str:
        return f"{self.host} (from {self.source})"


def locate(environ: Mapping[str, str]) -> Location:
    """Which engine the environment means; OpsError TB-0820 when it names a context that does not exist."""
    ceiling = environ.get("DOCKER_API_VERSION", "")
    folder = Path(environ.get("DOCKER_CONFIG") or Path(environ.get("HOME") or Path.home()) / ".docker")
    if host := environ.get("DOCKER_HOST"):
        tls = Path(environ.get("DOCKER_CERT_PATH") or folder) if environ.get("DOCKER_TLS_VERIFY") else None
        return Location(host, "DOCKER_HOST", tls, ceiling)
    name = environ.get("DOCKER_CONTEXT") or current_context(folder)
    if not name or name == "default":
        return Location(api_version=ceiling)
    return from_context(folder, name, ceiling)


def current_context(folder: Path) -> str:
    """The context chosen with ``docker context use``; empty when none was."""
    path = folder / "config.json"
    try:
        return str(read_json(path).get("currentContext", "")) if path.exists() else ""
    except PermissionError:
        return ""


def from_context(folder: Path, name: str, ceiling: str) -> Location:
    key = hashlib.sha256(name.encode()).hexdigest()
    meta = folder / "contexts" / "meta" / key / "meta.json"
    if not meta.exists():
        raise OpsError(
            f"The Docker context '{name}' does not exist in {folder}.",
            code="TB-0820",
            hint="List them with `docker context ls` and choose one with `docker context use NAME`.",
        )
    host = str(read_json(meta).get("Endpoints", {}).get("docker", {}).get("Host") or DEFAULT_HOST)
    tls = folder / "contexts" / "tls" / key / "docker"
    return Location(host, f"context '{name}'", tls if tls.is_dir() else None, ceiling)


def read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise OpsError(
            f"Docker's configuration {path} is not valid JSON: {error}.",
            code="TB-0820",
            hint=f"Correct it or move it away: mv '{path}' '{path}.damaged'",
        ) from error
    return content if isinstance(content, dict) else {}


def check(location: Location, timeout: float = 3.0) -> None:
    """Ask an engine for a sign of life, within ``timeout`` seconds. One behind SSH or TLS is asked when it is opened.

    Raises OpsError TB-0401 when it is not running or hangs, TB-0402 when this user may not ask.
    """
    address = urlsplit(location.host)
    plain = address.scheme in {"tcp", "http"} and location.tls is None
    if not location.socket and not plain:
        return
    try:
        with _connected(location, address, timeout) as connection:
            connection.sendall(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
            answer = connection.recv(64)
    except TimeoutError as error:
        raise hangs(location, timeout) from error
    except PermissionError as error:
        raise forbidden(location) from error
    except OSError as error:
        raise not_running(location) from error
    if not answer.startswith(b"HTTP/"):
        raise OpsError(
            f"What listens on {location} does not speak Docker's protocol.",
            code="TB-0401",
            hint="Correct DOCKER_HOST, or run without Docker: tradebot --engine local …",
        )
    if answer.split()[1:2] != [b"200"]:
        status = answer.partition(b"\r\n")[0].decode("ascii", "replace")
        raise OpsError(
            f"The Docker engine at {location} answers, but is not ready: {status}.",
            code="TB-0401",
            hint="Look with `journalctl -u docker -n 50`, or run without Docker: tradebot --engine local …",
        )


def _connected(location: Location, address: SplitResult, timeout: float) -> socket.socket:
    if not location.socket:
        return socket.create_connection((address.hostname or "", address.port or 2375), timeout)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(timeout)
    try:
        connection.connect(location.socket)
    except OSError:
        connection.close()
        raise
    return connection


def not_running(location: Location) -> OpsError:
    return OpsError(
        f"No Docker engine answers at {location}.",
        code="TB-0401",
        hint="Start it with `sudo systemctl start docker`, or run without Docker: tradebot --engine local …",
    )


def forbidden(location: Location) -> OpsError:
    return OpsError(
        f"This user may not use the Docker engine at {location}.",
        code="TB-0402",
        hint='Type `sudo usermod -aG docker "$USER"` and log in again, or run without Docker: '
        "tradebot --engine local …",
    )


def hangs(location: Location, seconds: float) -> OpsError:
    return OpsError(
        f"The Docker engine at {location} accepted the connection and then sent nothing for {seconds:g} s.",
        code="TB-0401",
        hint="It hangs: look with `journalctl -u docker -n 50` and restart it with `sudo systemctl restart docker`.",
    )
