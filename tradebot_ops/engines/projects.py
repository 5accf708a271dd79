"""Every project that an engine knows on this host, whichever folder one stands in."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from tradebot_ops.engines.base import State


@dataclass(frozen=True)
class Project:
    """``states`` counts its replicas; ``where`` is the folder it was started from, or the one that keeps its state."""

    name: str
    engine: str
    states: Counter[State]
    where: str

    @property
    def status(self) -> str:
        """``running (11)``, in Compose's words."""
        return ", ".join(f"{state.value} ({count})" for state, count in self.states.most_common())


def project(name: str, engine: str, states: Iterable[State], where: str) -> Project:
    return Project(name, engine, Counter(states), where)
