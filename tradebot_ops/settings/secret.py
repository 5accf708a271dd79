"""A string that keeps to itself."""


class Secret(str):
    """A string that does not show itself: printing, formatting and ``repr`` give ``[REDACTED]``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "[REDACTED]"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format("[REDACTED]", spec)

    def reveal(self) -> str:
        """The real value, for the one place that sends it to the service it belongs to."""
        return str.__str__(self)
