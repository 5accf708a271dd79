"""Which engine a command works with, and why: ``--engine``, else Docker if its daemon answers, else local."""

from dataclasses import dataclass

from tradebot_ops.engines.base import Engine
from tradebot_ops.engines.docker.locate import check, locate
from tradebot_ops.errors import OpsError
from tradebot_ops.settings import Settings
from tradebot_ops.state import ProjectState

#: How long a daemon that may hang holds up a command that can do without it.
PING_SECONDS = 2.0


@dataclass(frozen=True)
class Choice:
    engine: Engine
    why: str


def choose(settings: Settings, state: ProjectState) -> Choice:
    """Open the engine. Raises ``OpsError`` TB-0102 for one that is not there yet, TB-0820 for an unknown context.

    A Docker that was asked for by name is never replaced: that it does not answer (TB-0401, TB-0402) is said by its
    first verb.
    """
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
    if settings.docker_from:
        return Choice(_docker(settings), f"chosen with {settings.docker_from}")
    reason = why_not(settings)
    return Choice(_local(settings, state), reason) if reason else Choice(_docker(settings), "its daemon answers")


def why_not(settings: Settings) -> str:
    """Why Docker cannot be used, as a clause; empty when its daemon answers. The SDK is not imported for it."""
    location = locate(settings.environ)
    try:
        check(location, PING_SECONDS)
    except OpsError as problem:
        return problem.message[0].lower() + problem.message[1:].rstrip(".")
    return ""


def _local(settings: Settings, state: ProjectState) -> Engine:
    from tradebot_ops.engines.local import LocalEngine

    return LocalEngine(settings.project, state, settings.environ)


def _docker(settings: Settings) -> Engine:
    from tradebot_ops.engines.docker import DockerEngine

    return DockerEngine(settings.project, settings.environ)
