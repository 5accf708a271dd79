"""Lines of the audit log, each sealed with its own hash and that of the line before. Pure.

A line is one JSON object. Its last key ``hash`` is the SHA-256 of all that stands before it, byte by byte, so that
no way of writing JSON matters; ``previous`` is the hash of the line before.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from tradebot_ops.shapes import ShapeError, fields, listed, seconds, text, whole

#: What the first line of a log follows.
NOTHING = ""
_SEAL = b', "hash": "%s"}'
_SEALED = len(_SEAL % (b"0" * 64))
BEGAN, ENDED = "began", "ended"


@dataclass(frozen=True)
class Head:
    """The end of a log: how many entries it had then, and the hash of the last one."""

    entries: int = 0
    hash: str = NOTHING

    @classmethod
    def of(cls, value: Any) -> Self:
        return cls(**fields(value, {"entries": whole, "hash": text}))

    @classmethod
    def parsed(cls, typed: str) -> Self:
        """``12:9f86…`` as ``str()`` writes it. Raises ``ShapeError``."""
        number, _, digest = typed.partition(":")
        if not number.isdecimal() or len(digest) != 64 or set(digest) - set("0123456789abcdef"):
            raise ShapeError(f"{typed!r:.60} where NUMBER:HASH belongs")
        return cls(int(number), digest)

    def content(self) -> dict[str, Any]:
        return {"entries": self.entries, "hash": self.hash}

    def __str__(self) -> str:
        return f"{self.entries}:{self.hash}"


@dataclass(frozen=True)
class Entry:
    """One line: a change ``began``, or ``ended`` (then ``of`` is the number of the entry with which it began).

    ``at`` is ISO 8601 in UTC, ``seconds`` how long the change took, ``outcome`` ok, failed, refused or interrupted.
    """

    number: int
    previous: str
    event: str = ""
    at: str = ""
    by: str = ""
    command: str = ""
    arguments: tuple[str, ...] = ()
    engine: str = ""
    of: int = 0
    outcome: str = ""
    seconds: float = 0.0
    error: str = ""
    hash: str = ""

    @classmethod
    def read(cls, line: bytes) -> Self | None:
        """The entry in a line; None for one that is no entry of a chain."""
        texts = dict.fromkeys(("previous", "event", "at", "by", "command", "engine", "outcome", "error", "hash"), text)
        shapes = {**texts, "arguments": listed(text), "number": whole, "of": whole, "seconds": seconds}
        try:
            content = json.loads(line)
            found = cls(**fields(content, shapes)) if isinstance(content, dict) and "hash" in content else None
        except (ValueError, RecursionError, TypeError):
            return None
        return found

    @property
    def head(self) -> Head:
        return Head(self.number, self.hash)


def sealed(content: Mapping[str, Any], after: Head) -> tuple[bytes, Head]:
    """The line, without its end, that follows ``after``; and the head that it makes."""
    number = after.entries + 1
    body = json.dumps({"number": number, **content, "previous": after.hash}).encode()[:-1]
    digest = hashlib.sha256(body).hexdigest()
    return body + _SEAL % digest.encode(), Head(number, digest)


def seal_holds(line: bytes, entry: Entry) -> bool:
    """Whether a line is as it was sealed."""
    digest = hashlib.sha256(line[:-_SEALED]).hexdigest()
    return digest == entry.hash and line.endswith(_SEAL % digest.encode())


def digest_of(lines: bytes) -> str:
    """The hash that a chain begins on where lines without one stand before it."""
    return hashlib.sha256(lines).hexdigest()
