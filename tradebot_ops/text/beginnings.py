"""Ids by their beginnings: as many characters as only one of them has are enough."""

from collections.abc import Iterable, Sequence

from tradebot_ops.errors import OpsError

#: Characters of an id that a table shows at least.
SHORT = 8


def whole(typed: str, known: Iterable[str], what: str, hint: str) -> str:
    """The one of ``known`` that begins as was typed, else what was typed; an id is its own beginning.

    Raises ``OpsError`` TB-0222 where several begin so, and names them.
    """
    every = set(known)
    fitting = sorted(each for each in every if each.startswith(typed)) if typed and typed not in every else []
    if len(fitting) > 1:
        raise OpsError(f"Several {what} begin with {typed}: {', '.join(fitting)}.", code="TB-0222", hint=hint)
    return fitting[0] if fitting else typed


def short(ids: Sequence[str]) -> dict[str, str]:
    """Each id's beginning, long enough for these to differ."""
    length = SHORT
    while len({each[:length] for each in ids}) < len(set(ids)):
        length += 1
    return {each: each[:length] for each in ids}
