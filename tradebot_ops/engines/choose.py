"""Which engine a command works with, and why.

``--engine``; else the one that the project is on, for its data is there; else Docker if its daemon answers, else local.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tradebot_ops.engines.base import Engine
from tradebot_ops.engines.projects import Project
from tradebot_ops.errors import OpsError
from tradebot_ops.records import UsedEngines
from tradebot_ops.settings import Settings
from tradebot_ops.state import ProjectState

#: How long a daemon that may hang holds up a command that can do without it.
PING_SECONDS = 2.0
#: Engines that there are.
KNOWN = ("docker", "local")


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
        raise no_swarm()
    if settings.engine == "docker":
        return EngineChoice(_docker(settings), "chosen with --engine docker")
    if settings.docker_from:
        return EngineChoice(_docker(settings), f"chosen with {settings.docker_from}")
    for name in state.load(UsedEngines).engines[:1]:
        # Whether it answers is not asked: another engine would show an empty project, and start it without its data.
        return EngineChoice(_local(settings, state) if name == "local" else _docker(settings), "the last up was on it")
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


def no_swarm() -> OpsError:
    return OpsError("The swarm engine is not there yet.", code="TB-0102", hint="Use --engine docker or --engine local.")


def projects_on(engine: str, environ: Mapping[str, str]) -> tuple[Project, ...]:
    """Every project of this host on one of ``KNOWN``; raises ``OpsError`` where the engine cannot say."""
    if engine == "local":
        from tradebot_ops.engines.local.projects import on_local

        return on_local(environ)
    from tradebot_ops.engines.docker.projects import on_docker

    return on_docker(environ)


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
