"""`tradebot audit`: who changed what, when, for how long and with which outcome; and whether the log can be trusted."""

import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tradebot_ops.audit.chain import BEGAN, ENDED, Entry, Head
from tradebot_ops.audit.log import AuditLog
from tradebot_ops.audit.verify import Anchor, Verdict, judge
from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.project.audit_log import anchors
from tradebot_ops.model import Finding, Level, Report, Section, Table
from tradebot_ops.shapes import ShapeError
from tradebot_ops.text.quantities import quantity
from tradebot_ops.text.sentences import agreed

#: So many are shown to a person who did not ask for a time; programs get all.
SHOWN = 50
UNFINISHED = "no end"


@dataclass(frozen=True)
class Changed:
    """A change: its beginning, and its end unless the command was killed or still runs."""

    began: Entry
    ended: Entry | None

    @property
    def typed(self) -> str:
        return " ".join((self.began.command, *self.began.arguments))

    @property
    def outcome(self) -> str:
        return self.ended.outcome if self.ended else UNFINISHED

    def is_about(self, by: str, command: str) -> bool:
        """By a user, or a user at a host; of a command, or of a group of them."""
        named = not by or by in {self.began.by, self.began.by.partition("@")[0]}
        return named and f"{self.began.command} ".startswith(f"{command.strip()} " if command.strip() else "")

    def data(self) -> dict[str, Any]:
        began, ended = self.began, self.ended
        return {
            "number": began.number,
            "at": began.at,
            "by": began.by,
            "command": began.command,
            "arguments": list(began.arguments),
            "engine": (ended.engine or None) if ended else None,
            "outcome": ended.outcome if ended else None,
            "seconds": ended.seconds if ended else None,
            "error": (ended.error or None) if ended else None,
        }


def listing(ops: Ops, since: datetime | None, by: str, command: str) -> Report:
    """Changes that began after ``since``, the newest last. Raises ``OpsError`` TB-0134 for a log that is unreadable."""
    entries = _entries(AuditLog(ops.state.folder).read())
    found = [each for each in _changes(entries) if each.is_about(by, command) and _after(each.began.at, since)]
    shown = found if since else found[-SHOWN:]
    rows = tuple((each.began.at, each.began.by, each.typed, each.outcome, _took(each)) for each in shown)
    lines = [] if rows else ["No change is on record" + (" that fits." if entries else " for this project.")]
    if len(shown) < len(found):
        lines.append(agreed(f"{len(found) - len(shown)} older ones: tradebot audit --since 30d"))
    tables = (Table(("when", "by", "command", "outcome", "took"), rows),) if rows else ()
    head = entries[-1].head if entries else Head()
    data = {"changes": [each.data() for each in found], "head": str(head) if entries else None}
    return Report(data=data, sections=(Section(lines=tuple(lines), tables=tables),))


def verify(ops: Ops, anchor: str) -> Report:
    """Whether the log is whole; a failed finding for each thing wrong with it, a warning for what nobody can prove.

    ``anchor`` is an end of the log that was noted elsewhere, empty for none. Raises ``OpsError`` TB-0270 for one that
    is none.
    """
    given = (Anchor(_parsed(anchor), "the anchor that was given"),) if anchor else ()
    known = (*anchors(ops), *given)
    verdict = judge(AuditLog(ops.state.folder).read(), known, socket.gethostname())
    data = {
        "entries": verdict.head.entries,
        "head": str(verdict.head) if verdict.head.entries else None,
        "begun": verdict.begun or None,
        "proved": verdict.proved,
        "anchors": [{"where": each.where, "head": str(each.head), "apart": each.apart} for each in known],
        "wrong": list(verdict.wrong),
        "unproven": list(verdict.unproven),
    }
    return Report(data=data, findings=tuple(_findings(verdict)), sections=(Section(lines=tuple(_lines(verdict))),))


def _lines(verdict: Verdict) -> Iterator[str]:
    if not verdict.head.entries:
        return
    yield agreed(f"The log has {verdict.head.entries} entries since {verdict.begun}; before that nothing was recorded.")
    if verdict.proved and not verdict.wrong:
        yield f"Entries 1 to {verdict.proved} are as they were written."
    yield f"Note its end elsewhere, and later compare: tradebot audit --verify --anchor {verdict.head}"


def _findings(verdict: Verdict) -> Iterator[Finding]:
    hint = "Compare with a copy of the log, if there is one; restore what else was changed from a backup."
    for sentence in verdict.wrong:
        yield Finding(Level.FAIL, "TB-0135", sentence, hint=hint)
    for sentence in verdict.unproven:
        yield Finding(Level.WARN, "TB-0135", sentence, hint="A backup on another host proves what it has seen.")
    if not verdict.wrong and not verdict.unproven:
        yield Finding(Level.PASS, "TB-0135", "The audit log is whole.")


def _parsed(anchor: str) -> Head:
    try:
        return Head.parsed(anchor)
    except ShapeError as error:
        raise OpsError(
            f"This is no end of an audit log: {error}.",
            code="TB-0270",
            hint="The present one, such as 12:9f86…: tradebot audit --verify",
        ) from None


def _entries(content: bytes) -> list[Entry]:
    """Those that can be read; `--verify` names the others."""
    return [entry for line in content.split(b"\n") if line and (entry := Entry.read(line))]


def _changes(entries: Sequence[Entry]) -> Iterator[Changed]:
    ends = {entry.of: entry for entry in entries if entry.event == ENDED}
    for entry in entries:
        if entry.event == BEGAN:
            yield Changed(entry, ends.get(entry.number))


def _after(at: str, since: datetime | None) -> bool:
    """Whether it is not before; what has no readable time is shown: it is for a person to judge."""
    try:
        return since is None or datetime.fromisoformat(at) >= since
    except (ValueError, TypeError):
        return True


def _took(changed: Changed) -> str:
    return quantity(changed.ended.seconds, "s") if changed.ended else ""
