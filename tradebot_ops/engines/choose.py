"""Which engine a command works with, and why: ``--engine``, else Docker if its daemon answers, else local."""

import http.client
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tradebot_ops.engines.base import Engine
from tradebot_ops.errors import OpsError
from tradebot_ops.settings import Settings
from tradebot_ops.state import ProjectState

PING_SECONDS = 2.0


@dataclass(frozen=True)
class Choice:
    engine: Engine
    why: str


def choose(settings: Settings, state: ProjectState) -> Choice:
    """Open the engine. Raises ``OpsError`` TB-0401 when a Docker that was asked for does not answer."""
    if settings.engine == "local":
        return Choice(_local(settings, state), "chosen with --engine local")
    if settings.engine == "swarm":
        raise OpsError(
            "The swarm engine is not there yet.",
            code="TB-0102",
            hint="Use --engine docker or --engine local.",
        )
    if settings.engine == "docker":
        return Choice(_docker(settings), "chosen with --engine docker")
    answer = ping(settings.environ)
    if answer == "":
        return Choice(_docker(settings), "its daemon answers")
    return Choice(_local(settings, state), f"Docker does not answer: {answer}")


def _local(settings: Settings, state: ProjectState) -> Engine:
    from tradebot_ops.engines.local import LocalEngine

    return LocalEngine(settings.project, state, settings.environ)


def _docker(settings: Settings) -> Engine:
    from tradebot_ops.engines.docker import DockerEngine

    return DockerEngine(settings.project, settings.environ)


def ping(environ: Mapping[str, str]) -> str:
    """Ask the daemon for a sign of life, without its SDK; empty when it gave one, else why not.

    Only a unix socket can be asked so cheaply; a remote host that was set on purpose is taken at its word.
    """
    host = environ.get("DOCKER_HOST") or _context_host(environ) or "unix:///var/run/docker.sock"
    if not host.startswith("unix://"):
        return ""
    path = host.removeprefix("unix://")
    if not Path(path).exists():
        return f"there is no {path}"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(PING_SECONDS)
            connection.connect(path)
            connection.sendall(b"GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n")
            response = http.client.HTTPResponse(connection)
            response.begin()
            return "" if response.status == 200 else f"{path} answers HTTP {response.status}"
    except TimeoutError:
        return f"{path} hangs (no answer within {PING_SECONDS:g} s)"
    except (OSError, http.client.HTTPException) as error:
        return f"{path}: {getattr(error, 'strerror', None) or error}"


def _context_host(environ: Mapping[str, str]) -> str:
    """The host of the Docker context in use, from the client's own configuration."""
    import hashlib
    import json

    folder = Path(environ.get("DOCKER_CONFIG") or Path(environ.get("HOME") or Path.home()) / ".docker")
    name = environ.get("DOCKER_CONTEXT", "")
    try:
        name = name or json.loads((folder / "config.json").read_text(encoding="utf-8")).get("currentContext", "")
        if name in {"", "default"}:
            return ""
        digest = hashlib.sha256(name.encode()).hexdigest()
        meta = json.loads((folder / "contexts" / "meta" / digest / "meta.json").read_text(encoding="utf-8"))
        return str(meta["Endpoints"]["docker"]["Host"])
    except (OSError, ValueError, KeyError):
        return ""
