"""Which port of this host stands for which port of a replica."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tradebot_ops.engines.ports import any_free, holder, is_free
from tradebot_ops.errors import OpsError, PortTaken
from tradebot_ops.records import RememberedPorts
from tradebot_ops.state import ProjectState
from tradebot_ops.text.labels import Labelled

_LAST = 65535


@dataclass(frozen=True)
class Wish(Labelled):
    """A port a replica needs: ``first`` is tried first (0: any), ``explicit`` means no other will do."""

    service: str
    number: int
    target: int
    first: int
    host: str = "127.0.0.1"
    explicit: bool = False


class Ports:
    """The ports of one project, remembered in its state folder so that they stay the same from start to start."""

    def __init__(self, state: ProjectState) -> None:
        self._state = state

    def known(self) -> Mapping[str, Mapping[str, int]]:
        """Ports assigned so far: replica → target port → local port."""
        return self._remembered().ports

    def _remembered(self) -> RememberedPorts:
        return self._state.load(RememberedPorts)

    def assign(self, wish: Wish, *, held: Mapping[str, int], report: Callable[[str], None]) -> int:
        """The local port for ``wish``, remembered.

        ``held`` are the ports the replica's running process already has. A taken default moves and ``report``
        hears why; a taken explicit port raises ``OpsError`` TB-0821 naming its holder.
        """
        known = self._remembered()
        before = known.ports.get(wish.label, {}).get(str(wish.target))
        port = held.get(str(wish.target))
        if port is None or (wish.explicit and port != wish.first):
            port = self._choose(wish, before, _others(known.ports, wish), report)
        if port != before:
            self._state.store(known.having(wish.label, {str(wish.target): port}))
        return port

    def forget(self) -> None:
        """Forget every choice; the next start begins with the defaults again."""
        self._state.discard(RememberedPorts)

    def _choose(self, wish: Wish, before: int | None, others: set[int], report: Callable[[str], None]) -> int:
        if wish.explicit:
            if not is_free(wish.first, wish.host):
                raise _taken(wish)
            return wish.first
        if before is not None and before not in others and is_free(before, wish.host):
            return before
        if wish.first == 0:
            return any_free(wish.host)
        if wish.number == 1 and wish.first not in others and is_free(wish.first, wish.host):
            return wish.first
        port = _next_free(wish, others)
        if wish.number == 1:
            why = "belongs to another service" if wish.first in others else f"is taken by {holder(wish.first)}"
            report(f"port {wish.first} {why}: using {port}")
        return port


def _taken(wish: Wish) -> OpsError:
    return PortTaken(
        f"Port {wish.first} for {wish.service} is taken by {holder(wish.first)}.",
        code="TB-0821",
        hint="Stop that program, or choose another port in the setting that named this one.",
    )


def _others(known: Mapping[str, Mapping[str, int]], wish: Wish) -> set[int]:
    """Ports promised to other replicas, running or not."""
    return {
        port
        for replica, ports in known.items()
        for target, port in ports.items()
        if (replica, target) != (wish.label, str(wish.target))
    }


def _next_free(wish: Wish, others: set[int]) -> int:
    start = wish.first + 1 if wish.number == 1 else wish.first
    for port in range(min(start, _LAST), _LAST + 1):
        if port not in others and is_free(port, wish.host):
            return port
    return any_free(wish.host)
