"""The word that may have been meant by a mistyped one."""

import difflib
from collections.abc import Iterable

#: How alike, from 0 to 1, two words must be for one to be taken for the other.
_ALIKE = 0.6


def did_you_mean(word: str, known: Iterable[str], alike: float = _ALIKE) -> str:
    """A question such as "Did you mean `worker`?" when a known word is close in any case, else nothing."""
    found = {each.lower(): each for each in known}
    close = difflib.get_close_matches(word.lower(), found, n=1, cutoff=alike)
    return f"Did you mean `{found[close[0]]}`?" if close else ""
