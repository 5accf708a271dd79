"""A secret that keeps to itself."""

from collections.abc import Callable
from typing import Any, NoReturn, Self, final

SHOWN = "[REDACTED]"


@final
class Secret:
    """Wraps a value that leaves only through ``reveal``; everything else shows ``[REDACTED]`` or raises ``TypeError``.

    Not a ``str``: then ``+``, ``join`` and ``json.dumps`` would read the value without asking. It lies in a closure,
    where tools that list attributes (debuggers, pretty printers, serialisers) find a function.
    """

    __slots__ = ("_value",)
    _value: Callable[[], str]

    def __init__(self, value: str) -> None:
        self._value = lambda: value

    def reveal(self) -> str:
        """The real value, for the one place that sends it to the service it belongs to."""
        return self._value()

    def hide_in(self, text: str) -> str:
        """The text without the value: for what comes from a service, which may repeat what it was sent."""
        value = self.reveal()
        return text.replace(value, SHOWN) if value else text

    def __repr__(self) -> str:
        return SHOWN

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(SHOWN, spec)

    def __eq__(self, other: object) -> bool:
        """In constant time, and never equal to a bare string: that would let a guess be tried."""
        from hmac import compare_digest

        if not isinstance(other, Secret):
            return NotImplemented
        mine, its = (secret.reveal().encode("utf-8", "surrogatepass") for secret in (self, other))
        return compare_digest(mine, its)

    def __hash__(self) -> int:
        return hash(self.reveal())

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("A secret cannot be pickled.")
