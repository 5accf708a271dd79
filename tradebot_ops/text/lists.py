"""Lists in sentences: the first few, and how many more."""

from collections.abc import Iterable


def few(items: Iterable[str], most: int = 3) -> str:
    """``a, b, c and 4 more``; all of them where that is not longer."""
    every = list(items)
    if len(every) <= most + 1:
        return ", ".join(every)
    return f"{', '.join(every[:most])} and {len(every) - most} more"
