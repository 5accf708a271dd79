"""Parts of a line that vary and are not the error: numbers, names in quotes, addresses, times. Pure."""

import re

#: Longer texts are cut first: what makes lines alike stands at their beginning.
LONGEST = 2000

_MASKS = {
    "text": r"""\"(?:[^"\\]|\\.)*\"|(?<!\w)'[^']*'(?!\w)|`[^`]*`""",
    "uuid": r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
    "time": r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?(?:Z|UTC|GMT)\b|[+-]\d\d:?\d\d)?)?"
    r"|\b\d\d:\d\d:\d\d(?:[.,]\d+)?",
    "address": r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b|\[[0-9a-f:]+\]:\d+|\b[\w.-]+:\d{2,5}\b",
    "path": r"(?<![\w<])/[\w.@+/-]+",
    "hex": r"\b0x[0-9a-f]+\b|\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,}\b",
    "number": r"\d+(?:[.,]\d+)*",
}
_MASK = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _MASKS.items()), re.IGNORECASE)
_SPACES = re.compile(r"\s+")


def masked(text: str) -> str:
    """``could not open <path>: error <number>``: equal for lines that say the same of different things."""
    return _SPACES.sub(" ", _MASK.sub(_name, text[:LONGEST])).strip()


def _name(match: re.Match[str]) -> str:
    return f"<{match.lastgroup}>"
