"""Take secrets out of text that leaves this host, and prove afterwards that they are gone.

Three passes: the exact values that this project knows, in every form in which a program may repeat them; then what
stands beside a name that means a secret; then what has the shape of one. The first is proved: ``clean`` raises rather
than return a text in which a known value still is.
"""

import base64
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.settings.secret import SHOWN

#: Shorter values are words of other texts, too; nothing that is generated here is so short.
SHORTEST = 6
#: A piece of an encoded value that is shorter says nothing.
SHORTEST_PIECE = 8
#: Stands for a text that could not be proved clean.
WITHHELD = "[WITHHELD]"

_NAME = (
    r"passw(?:or)?d|passwd|pwd|secret|token|api[-_ ]?key|access[-_]?key|private[-_]?key|routing[-_]?key|authorization"
    r"|cookie|credential|webhook|dsn|session[-_]?id|encryption[-_]?key|signing[-_]?key|passphrase"
)
#: Each of these names begins with one of them: found so, a text that has none costs a twentieth.
_BEGINNINGS = (
    "passw", "pwd", "secret", "token", "api", "access", "private", "routing", "authorization", "cookie", "credential",
    "webhook", "dsn", "session", "encryption", "signing", "passphrase",
)  # fmt: skip
_NAMED = re.compile(rf"(?:{_NAME})", re.IGNORECASE)
#: Where a secret lies, how long it lives or how many there are is none.
_HARMLESS = re.compile(r"(?:_|-|\b)(?:file|path|folder|dir|count|total|limit|ttl|seconds|age|encryption|users?)$", re.I)
# Every repetition has an end, or cannot begin anew within itself: a line of a megabyte must not take minutes.
_PAIR = re.compile(
    rf"(?P<name>(?:{_NAME})[\w.-]{{0,40}})(?P<between>\\{{0,8}}[\"']?[ \t]{{0,8}}[=:][ \t]{{0,8}})"
    r"(?P<value>(?P<mark>\\{1,8}\")(?:(?!(?<!\\)(?P=mark))[^\n])*(?P=mark)?"  # within JSON within JSON
    r"|\"(?:[^\"\\\n]|\\.)*\"?|'[^'\n]*'?"
    r"|(?![{\[]|(?:null|none|true|false)\b)(?:(?:Bearer|Basic|Digest|Token)[ \t])?[^\s&]+)",
    re.IGNORECASE,
)
#: What has one of these words in it (in lower case) may have that shape.
_SHAPES = (
    (
        ("-----begin",),
        r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)",
        "",
    ),
    (("://",), r"(?i)(\b[a-z][a-z0-9+.-]{0,20}://[^\s:/@\"']{0,80}:)[^\s@\"']{1,200}(?=@)", r"\1"),
    (("bearer", "basic"), r"(?i)(\b(?:Bearer|Basic)[ \t])[A-Za-z0-9+/=._~-]{8,}", r"\1"),
    (("eyj",), r"\beyJ[\w-]{8,400}\.[\w-]{4,4000}(?:\.[\w-]*)?", ""),
    (("hooks.slack",), r"https://hooks\.slack\.com/[^\s\"'\\]+", ""),
    (("discord",), r"https://discord(?:app)?\.com/api/webhooks/[^\s\"'\\]+", ""),
    (("$2",), r"\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}", ""),
    (("scram-sha",), r"\bSCRAM-SHA-256\$[^\s\"']+", ""),
    (("akia", "asia"), r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b", ""),
    (("gh", "glpat", "xox"), r"\b(?:gh[pousr]_|github_pat_|glpat-|xox[abeprs]-)[\w-]{16,}", ""),
    (("sk", "aiza", "npm_", "pypi-"), r"\b(?:sk[_-](?:live|test)[_-]|AIza|npm_|pypi-)[\w-]{16,}", ""),
    (("#",), r"(?<=[\s\"'])#[0-9a-f]{64}\b", ""),
)
_SHAPE = tuple((hints, re.compile(pattern), kept + SHOWN) for hints, pattern, kept in _SHAPES)


class Unclean(Exception):  # noqa: N818 - an answer: this text must not leave
    """A known value is still in a text."""


class Redactor:
    """Knows the values of some secrets."""

    def __init__(self, values: Iterable[str]) -> None:
        found = {form for value in values for form in forms(value)}
        #: The longest first: a value may be a part of another one.
        self._forms = sorted(found, key=lambda form: (-len(form), form))

    @property
    def longest(self) -> int:
        """Characters of the longest form: who cuts a text must cut so much more at the edge."""
        return max(map(len, self._forms), default=0)

    def clean(self, text: str) -> str:
        """The text without secrets. Raises ``Unclean`` when one is left."""
        for form in self._forms:
            text = text.replace(form, SHOWN)
        text = _without_pairs(text)
        low = text.lower()
        for hints, shape, instead in _SHAPE:
            if any(hint in low for hint in hints):
                text = shape.sub(instead, text)
        if any(form in text for form in self._forms):
            raise Unclean
        return text

    def safe(self, text: str) -> str:
        """``clean``, or a word where that cannot be done: for a line among many."""
        try:
            return self.clean(text)
        except Unclean:
            return WITHHELD

    def document(self, value: Any, *, hidden: bool = False) -> Any:
        """A JSON value without what stands under a secret's name; ``clean`` is for its text."""
        if isinstance(value, Mapping):
            return {str(key): self.document(inner, hidden=_secret_name(str(key))) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.document(inner, hidden=hidden) for inner in value]
        # A truth value or nothing is no secret.
        return SHOWN if hidden and value not in ("", None) and not isinstance(value, bool) else value


def forms(value: str) -> Iterator[str]:
    """A value as it stands, and as URLs, JSON (within JSON, too), base64 and hexadecimal digits repeat it."""
    if len(value) < SHORTEST:
        return
    raw = value.encode("utf-8", "surrogateescape")
    escaped = {json.dumps(value, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)}
    yield from (value, quote(raw, safe=""), quote(raw), quote_plus(raw), quote_plus(raw).lower(), repr(value)[1:-1])
    yield from escaped
    yield from (json.dumps(each)[1:-1] for each in escaped)
    yield from (raw.hex(), raw.hex().upper())
    for shift in range(3):
        piece = _piece(raw, shift)
        if len(piece) >= SHORTEST_PIECE:
            yield from (piece, piece.replace("+", "-").replace("/", "_"))


def _piece(raw: bytes, shift: int) -> str:
    """The part of the base64 form that is the same whatever stands before and after; ``user:value`` shifts it."""
    whole = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
    return whole[(0, 2, 3)[shift] : len(whole) - (1 if (shift + len(raw)) % 3 else 0)]


def _without_pairs(text: str) -> str:
    """Remove what stands beside a secret's name."""
    low = text.lower()
    if len(low) != len(text):  # of some letters the small one is two
        return _PAIR.sub(_hide, text)
    pieces, end = [], 0
    for place in sorted(place for word in _BEGINNINGS for place in _places(low, word)):
        if place >= end and (match := _PAIR.match(text, place)) is not None:
            pieces += [text[end:place], _hide(match)]
            end = match.end()
    return "".join((*pieces, text[end:]))


def _places(text: str, word: str) -> Iterator[int]:
    place = text.find(word)
    while place >= 0:
        yield place
        place = text.find(word, place + 1)


def _hide(match: re.Match[str]) -> str:
    first = match["value"][0]
    mark = match["mark"] or (first if first in "\"'" else "")
    # Without quotes nobody knows where the value ends: what was hidden in it was all of it.
    if _HARMLESS.search(match["name"]) or (SHOWN in match["value"] and not mark):
        return match[0]
    return f"{match['name']}{match['between']}{mark}{SHOWN}{mark}"


def _secret_name(name: str) -> bool:
    return bool(_NAMED.search(name)) and not _HARMLESS.search(name)


def of_project(ops: Ops) -> Redactor:
    """Knows every secret of this project: its files, and what settings and environment hold under such a name.

    Raises ``OpsError`` TB-0805 when a file cannot be read: nobody could prove then that its value is not in a text.
    """
    return Redactor(_values(ops))


def _values(ops: Ops) -> Iterator[str]:
    declared = [secret.file for secret in ops.stack.secrets.values()]
    folder = ops.state.secrets
    for path in sorted({*declared, *(folder.rglob("*") if folder.is_dir() else ())}):
        if path.is_file():
            yield from parts(_read(path))
    named = {name: value.text for name, value in ops.settings.stack.items()} | dict(ops.settings.environ)
    for name, text in named.items():
        if _secret_name(name) and not Path(text).is_absolute():
            yield from parts(text)


def parts(text: str) -> Iterator[str]:
    """A file's whole text, each of its lines, and the long words in it: of a derived file any part may be repeated."""
    yield text.strip()
    for line in text.splitlines():
        yield line.strip()
        yield from (word for word in re.split(r"[\s\"'{},]+", line) if len(word) >= 20)


def _read(path: Path) -> str:
    try:
        return os.fsdecode(path.read_bytes())
    except OSError as error:
        raise OpsError(
            f"Cannot read the secret {path}: {error.strerror}, so nothing can be proved to be free of it.",
            code="TB-0805",
            hint=f"Run it as whoever may read it: ls -l {path}",
        ) from None
