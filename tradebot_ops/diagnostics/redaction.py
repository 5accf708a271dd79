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
from tradebot_ops.settings.secrecy import names_secret, without_secrets
from tradebot_ops.settings.secret import SHOWN

#: Shorter values are words of other texts, too; nothing that is generated here is so short.
SHORTEST = 6
#: A piece of an encoded value that is shorter says nothing.
SHORTEST_PIECE = 8
#: Stands for a text that could not be proved clean.
WITHHELD = "[WITHHELD]"


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
        text = without_secrets(text)
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
            return {str(key): self.document(inner, hidden=names_secret(str(key))) for key, inner in value.items()}
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
        if names_secret(name) and not Path(text).is_absolute():
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
