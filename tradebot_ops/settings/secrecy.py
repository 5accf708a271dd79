"""Secrets by the name that stands beside it, or by its own shape, whatever its value is. Pure."""

import re
from collections.abc import Iterator

from tradebot_ops.settings.secret import SHOWN

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
    (("gh", "github_pat", "glpat", "xox"), r"\b(?:gh[pousr]_|github_pat_|glpat-|xox[abeprs]-)[\w-]{16,}", ""),
    (("sk", "aiza", "npm_", "pypi-"), r"\b(?:sk[_-](?:live|test)[_-]|AIza|npm_|pypi-)[\w-]{16,}", ""),
    (("#",), r"(?<=[\s\"'])#[0-9a-f]{64}\b", ""),
)
_SHAPE = tuple((hints, re.compile(pattern), kept + SHOWN) for hints, pattern, kept in _SHAPES)


def without_secrets(text: str) -> str:
    """The text without what stands beside a secret's name, and without what has the shape of one."""
    text = _without_pairs(text)
    low = text.lower()
    for hints, shape, instead in _SHAPE:
        if any(hint in low for hint in hints):
            text = shape.sub(instead, text)
    return text


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


def names_secret(name: str) -> bool:
    """Whether what has this name is a secret."""
    return bool(_NAMED.search(name)) and not _HARMLESS.search(name)
