"""Which engine a command works with, and why: ``--engine``, else Docker if its daemon answers, else local."""

from collections.abc import Mapping
from dataclasses import dataclass

from tradebot_ops.engines.base import Engine
from tradebot_ops.errors import OpsError
from tradebot_ops.settings import Settings
from tradebot_ops.state import ProjectState

#: How long a daemon that may hang holds up a command that can do without it.
PING_SECONDS = 2.0


@dataclass(frozen=True)
class EngineChoice:
    engine: Engine
    why: str


def choose(settings: Settings, state: ProjectState) -> EngineChoice:
    """Open the engine. Raises ``OpsError`` TB-0102 for one that is not there yet, TB-0820 for an unknown context.

    A Docker that was asked for by name is never replaced: that it does not answer (TB-0401, TB-0402) is reported by its
    first verb.
    """
    if settings.engine == "local":
        return EngineChoice(_local(settings, state), "chosen with --engine local")
    if settings.engine == "swarm":
        raise OpsError(
            "The swarm engine is not there yet.",
            code="TB-0102",
            hint="Use --engine docker or --engine local.",
        )
    if settings.engine == "docker":
        return EngineChoice(_docker(settings), "chosen with --engine docker")
    if settings.docker_from:
        return EngineChoice(_docker(settings), f"chosen with {settings.docker_from}")
    reason = silence(settings.environ)
    if reason:
        return EngineChoice(_local(settings, state), reason)
    return EngineChoice(_docker(settings), "its daemon answers")


def _local(settings: Settings, state: ProjectState) -> Engine:
    from tradebot_ops.engines.local import LocalEngine

    return LocalEngine(settings.project, state, settings.environ)


def _docker(settings: Settings) -> Engine:
    from tradebot_ops.engines.docker.engine import DockerEngine

    return DockerEngine(settings.project, settings.environ)


def silence(environ: Mapping[str, str]) -> str:
    """Why Docker cannot be used now, asked without its SDK; empty when its daemon answers.

    An engine behind SSH or TLS cannot be asked so cheaply: set on purpose, it is taken at its word.
    """
    from tradebot_ops.docker.locate import check, locate

    try:
        check(locate(environ), PING_SECONDS)
    except OpsError as error:
        return error.message[0].lower() + error.message[1:].rstrip(".")
    return ""
