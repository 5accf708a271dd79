"""Ask every collector, cut what is too large, take the secrets out, and leave out what cannot be cleaned."""

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.diagnostics.bundle import collectors as shelf
from tradebot_ops.diagnostics.bundle.collector import Collector, Files, plain
from tradebot_ops.diagnostics.redaction import Redactor, Unclean
from tradebot_ops.discovery import discover
from tradebot_ops.facts.asking import Facts
from tradebot_ops.facts.fact import Fact, NotHere, Unknown

log = logging.getLogger(__name__)

MB = 1_000_000
#: Of one file, and of all of them.
MOST_FILE, MOST = 2 * MB, 30 * MB


@dataclass(frozen=True)
class Part:
    """One file of a bundle; ``size`` is what it was before it was cut."""

    name: str
    text: str
    size: int

    @property
    def cut(self) -> bool:
        return self.size > MOST_FILE

    @property
    def content(self) -> bytes:
        return self.text.encode("utf-8", "replace")

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class Row:
    """How a collector fared: ``state`` is ok, partial or failed, ``why`` one sentence."""

    collector: str
    state: str
    milliseconds: int
    files: int = 0
    why: str = ""


@dataclass(frozen=True)
class Gathered:
    """``withheld`` are names of files that were left out, with the reason."""

    parts: tuple[Part, ...]
    rows: tuple[Row, ...]
    withheld: dict[str, str]


def collectors() -> tuple[Collector, ...]:
    return discover(shelf, "COLLECTOR")


def gather(ops: Ops, redactor: Redactor, chosen: Sequence[Collector]) -> Gathered:
    """All files of these collectors, clean. A collector that fails or takes too long costs its own files."""
    facts = Facts(ops)
    questions = [Fact(f"bundle.{each.name}", each.collect, each.seconds) for each in chosen]
    facts.start(questions)
    parts: list[Part] = []
    rows: list[Row] = []
    withheld: dict[str, str] = {}
    room = MOST
    for each, question in zip(chosen, questions, strict=True):
        files = facts.value(question)
        milliseconds = round(1000 * facts.seconds(question))
        if isinstance(files, Unknown | NotHere):
            rows.append(Row(each.name, "failed", milliseconds, why=_clean(redactor, files.why)))
            continue
        made, left = _parts(files, redactor, room)
        room -= sum(len(part.text) for part in made)
        parts += made
        withheld |= left
        unknown = [
            name for name, content in files.items() if isinstance(content, dict) and content.keys() == {"unknown"}
        ]
        why = _clean(redactor, "; ".join(str(files[name]["unknown"]) for name in unknown))
        state = "partial" if unknown or left else "ok"
        rows.append(Row(each.name, state, milliseconds, len(made), why))
    return Gathered(tuple(parts), tuple(rows), withheld)


def _parts(files: Files, redactor: Redactor, room: int) -> tuple[list[Part], dict[str, str]]:
    made, withheld = [], {}
    for name, content in files.items():
        part = clean(name, content, redactor)
        if part is None:
            withheld[name] = "It could not be cleaned of secrets."
        elif (room := room - len(part.text)) < 0:
            withheld[name] = f"The bundle would be larger than {MOST // MB} MB."
        else:
            made.append(part)
    return made, withheld


def clean(name: str, content: Any, redactor: Redactor) -> Part | None:
    """A file that may leave; None where that cannot be proved, for whatever reason."""
    try:
        text = content if isinstance(content, str) else json.dumps(redactor.document(plain(content)), indent=1)
        return Part(name, redactor.clean(cut(text, redactor.longest)), len(text))
    except Unclean:
        return None
    except Exception:
        # Whatever went wrong in cleaning a text: it stays here, and the bundle goes without it.
        log.debug("%s could not be cleaned", name, exc_info=True)
        return None


def cut(text: str, margin: int) -> str:
    """The end of a text that is too long, from the beginning of a line on; a value may have been cut in two there."""
    if len(text) <= MOST_FILE:
        return text
    kept = text[-MOST_FILE:]
    line = kept.find("\n") + 1
    return kept[line:] if line else kept[margin:]


def _clean(redactor: Redactor, text: str) -> str:
    part = clean("", text, redactor)
    return "[withheld]" if part is None else part.text
