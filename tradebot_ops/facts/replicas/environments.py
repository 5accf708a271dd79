"""For which environment the running processes believe they work."""

from collections.abc import Mapping
from dataclasses import dataclass

from tradebot_ops.context import Ops
from tradebot_ops.engines.inspection import Inspected
from tradebot_ops.facts.fact import fact
from tradebot_ops.facts.replicas import containers

NAME = "ENVIRONMENT"
_SWITCHES = ("DEBUG", "RELOAD", "UVICORN_RELOAD", "FLASK_DEBUG", "PYTHONDEBUG")
_OFF = {"", "0", "false", "no", "off"}


@dataclass(frozen=True)
class Reported:
    """``declared`` is the setting, ``api`` what ``/health`` says, ``replicas`` what each was started with.

    ``debugging`` are replicas that were started with a switch for developers.
    """

    declared: str
    api: str
    replicas: Mapping[str, str]
    debugging: tuple[str, ...] = ()


@fact(seconds=10, of=(containers.replicas,))
def reported(ops: Ops, replicas: tuple[Inspected, ...]) -> Reported:
    running = [each for each in replicas if each.status == "running"]
    return Reported(
        declared=ops.settings.variables().get(NAME, ""),
        api=str(ops.api.health().get("environment", "")),
        replicas={each.label: each.environment[NAME] for each in running if NAME in each.environment},
        debugging=tuple(each.label for each in running if _debugging(each)),
    )


def _debugging(each: Inspected) -> bool:
    on = any(each.environment.get(name, "").lower() not in _OFF for name in _SWITCHES)
    return on or "--reload" in each.command or "--debug" in each.command
