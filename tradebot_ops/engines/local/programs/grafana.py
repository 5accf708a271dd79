"""``grafana``: in no package of Debian or Python, so the local engine has none."""

from collections.abc import Mapping
from typing import NoReturn

from tradebot_ops.engines.local.launching.program import Launch, LocalReplica, Program, Say
from tradebot_ops.errors import Unavailable

_WHY = "Grafana is in no package that the local engine could fetch"


def _refuse() -> NoReturn:
    raise Unavailable(f"{_WHY}.", hint="The same panels: tradebot dash; with Docker: tradebot up --engine docker")


def _launch(_replica: LocalReplica) -> Launch:
    _refuse()


def _obtain(_host: Mapping[str, str], _say: Say) -> None:
    _refuse()


PROGRAM = Program(("grafana",), _launch, obtain=_obtain, absent=_WHY)
