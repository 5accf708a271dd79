"""Text of others made fit for a terminal: what would move the cursor, name the window or turn the text is shown."""

import re

#: Colours and weights only; whoever wrote them meant nothing else, and without them the text reads the same.
_COLOURS = re.compile(r"\x1b\[[0-9;:]*m")
#: C0 and C1 controls save the tab and the end of a line; what reverses the direction of text; separators of lines.
_LIVE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    r"""The text without colours, and with every other control character spelt out: ``\x1b]0;title\x07``."""
    if text.isprintable():
        return text
    return _LIVE.sub(_spelt, _COLOURS.sub("", text))


def _spelt(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")
