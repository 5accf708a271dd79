"""Judge an audit log: its faults, how far it is proved, and what cannot be proved. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from tradebot_ops.audit.chain import NOTHING, Entry, Head, digest_of, seal_holds

#: Commands that work side by side read the clock within this of each other.
_TOLERATED = timedelta(minutes=1)


@dataclass(frozen=True)
class Anchor:
    """An end of the log that something else remembers: ``where``, and of which host; ``apart`` unless it lies beside
    the log, where whoever edits the one can edit the other."""

    head: Head
    where: str
    host: str = ""
    apart: bool = True


@dataclass(frozen=True)
class Verdict:
    """Sentences, each about lines of the log. ``proved`` is the last entry that something apart from the log has seen,
    ``head`` the end of the log."""

    head: Head
    begun: str
    wrong: tuple[str, ...]
    unproven: tuple[str, ...]
    proved: int


@dataclass(frozen=True)
class _Line:
    place: int
    raw: bytes
    entry: Entry | None


def judge(content: bytes, anchors: Sequence[Anchor], host: str) -> Verdict:
    """Read a whole log against what others remember of it; ``host`` is this one."""
    lines = [_Line(place, raw, Entry.read(raw)) for place, raw in enumerate(_split(content), 1)]
    first = next((index for index, line in enumerate(lines) if line.entry), len(lines))
    before, chain = lines[:first], lines[first:]
    entries = [line.entry for line in chain if line.entry]
    found = {entry.number: entry for entry in entries}
    head = max(entries, key=lambda entry: entry.number).head if entries else Head()
    wrong = [*_beginning(before, chain), *_damaged(chain), *_order(entries)]
    unproven = [*_unchained(before, entries), *_clock(entries)]
    proved = 0
    for anchor in sorted(anchors, key=lambda each: each.head.entries):
        sentence = _against(anchor, found, head)
        if sentence:
            (wrong if not anchor.host or anchor.host == host else unproven).append(sentence)
        elif anchor.apart:
            proved = max(proved, anchor.head.entries)
    unproven += _open_end(head, proved, anchors)
    return Verdict(head, entries[0].at if entries else "", tuple(wrong), tuple(unproven), proved)


def _split(content: bytes) -> list[bytes]:
    lines = content.split(b"\n")
    return lines if lines[-1] else lines[:-1]


def _beginning(before: Sequence[_Line], chain: Sequence[_Line]) -> Iterator[str]:
    first = chain[0].entry if chain else None
    if first is None:
        return
    if first.number > 1:
        yield f"The log begins with entry {first.number}: {_numbers(1, first.number - 1)} before it is missing."
    elif before:
        if digest_of(b"".join(line.raw + b"\n" for line in before)) != first.previous:
            yield f"What stands before the chain (lines: {len(before)}) is not as it was when it began."
    elif first.previous != NOTHING:
        yield "Lines that stood before the chain when it began are missing."


def _damaged(chain: Sequence[_Line]) -> Iterator[str]:
    for line in chain:
        if line.entry is None:
            yield f"Line {line.place} is no entry: it was edited, or cut in the middle."
        elif not seal_holds(line.raw, line.entry):
            yield f"Entry {line.entry.number} (line {line.place}) was edited: it is not what its own hash says."


def _order(entries: Sequence[Entry]) -> Iterator[str]:
    numbers = [entry.number for entry in entries]
    for before, after in pairwise(entries):
        if after.number == before.number:
            yield f"Entry {after.number} is there twice."
        elif after.number < before.number:
            yield f"Entry {after.number} stands after entry {before.number}: lines were swapped, or put in."
        elif after.number == before.number + 1 and after.previous != before.hash:
            yield f"Entry {after.number} follows another entry {before.number} than the one that is there."
    present = sorted(set(numbers))
    for low, high in pairwise(present):
        if high > low + 1:
            yield f"Between entry {low} and entry {high}, {_numbers(low + 1, high - 1)} is missing."


def _unchained(before: Sequence[_Line], entries: Sequence[Entry]) -> Iterator[str]:
    if before:
        until = f"before {entries[0].at}, when the chain began" if entries else "at all: there is no chain"
        yield f"The first lines ({len(before)}) have no hash; not provable {until}."


def _clock(entries: Sequence[Entry]) -> Iterator[str]:
    for before, after in pairwise(entries):
        earlier, later = _moment(before.at), _moment(after.at)
        if earlier and later and later < earlier - _TOLERATED:
            yield f"Entry {after.number} is dated before entry {before.number}: the clock was set back in between."


def _against(anchor: Anchor, found: dict[int, Entry], head: Head) -> str:
    """A sentence where the log is not the one that the anchor has seen."""
    seen = anchor.head.entries
    if seen > head.entries:
        left = f"ends with entry {head.entries}" if head.entries else "holds no entry"
        return f"{anchor.where} has seen entry {seen}, and the log {left}: its end was cut off, or it was emptied."
    if seen in found and found[seen].hash != anchor.head.hash:
        return f"Entry {seen} is not the one that {anchor.where} has seen: what stands up to it was written anew."
    return "" if seen in found else f"Entry {seen}, which {anchor.where} has seen, is missing."


def _open_end(head: Head, proved: int, anchors: Sequence[Anchor]) -> Iterator[str]:
    if not head.entries:
        yield "The log holds no entry" + ("." if anchors else ", and nothing says that it ever did.")
    elif proved < head.entries:
        since = f"after entry {proved}" if proved else "from its first entry on"
        yield (
            f"Not provable {since}: nothing apart from the log has seen it, so whoever may write to its folder could "
            "have written it anew, or cut its end off."
        )


def _numbers(first: int, last: int) -> str:
    return f"entry {first}" if first == last else f"each of the entries {first} to {last}"


def _moment(at: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(at)
    except ValueError:
        return None
    return found if found.tzinfo else None
