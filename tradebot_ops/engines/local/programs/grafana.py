"""``grafana``: in no package of Debian or Python, so the local engine has none."""

from tradebot_ops.engines.local.programs.base import Launch, Program, Replica
from tradebot_ops.errors import Unavailable

_WHY = "Grafana is in no package that the local engine could fetch"


def _launch(_replica: Replica) -> Launch:
    raise Unavailable(f"{_WHY}.", hint="The same panels: tradebot dash. With Docker: tradebot up --engine docker")


PROGRAM = Program(("grafana",), _launch, absent=_WHY)
