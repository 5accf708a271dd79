"""What was done to a log is found, or named as what nobody can prove."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.audit.kit import fill, lines, put
from tradebot_ops.audit.chain import Head, sealed
from tradebot_ops.audit.log import AuditLog
from tradebot_ops.audit.verify import Anchor, Verdict, judge

Lines = list[bytes]
HOST = "desk"


def look(folder: Path, *anchors: Anchor) -> Verdict:
    return judge(AuditLog(folder).read(), anchors, HOST)


def note(folder: Path) -> Anchor:
    head = AuditLog(folder).noted()
    assert head is not None
    return Anchor(head, "the note beside the log", apart=False)


def backup(head: Head, host: str = HOST) -> Anchor:
    return Anchor(head, "the backup b1", host)


def test_a_log_that_a_backup_has_seen_whole_is_proved(tmp_path: Path) -> None:
    heads = fill(tmp_path)
    found = look(tmp_path, note(tmp_path), backup(heads[-1]))
    assert found == Verdict(heads[-1], "2026-11-27T12:01:00+00:00", (), (), 6)


def test_what_no_backup_has_seen_yet_is_named(tmp_path: Path) -> None:
    heads = fill(tmp_path)
    found = look(tmp_path, note(tmp_path), backup(heads[3]))
    assert (found.wrong, found.proved) == ((), 4)
    assert found.unproven[0].startswith("Not provable after entry 4:")
    assert look(tmp_path, note(tmp_path)).unproven[0].startswith("Not provable from its first entry on:")


def _edited(log: Lines) -> Lines:
    return [*log[:2], log[2].replace(b'"c3"', b'"cX"'), *log[3:]]


def _edited_and_sealed(log: Lines) -> Lines:
    """By somebody who knows how a line is sealed."""
    return [*log[:2], _forged(3, log[1]), *log[3:]]


def _last_edited_and_sealed(log: Lines) -> Lines:
    return [*log[:5], _forged(6, log[4])]


def _written_anew(log: Lines) -> Lines:
    """The whole log, every seal right."""
    made, head = [], Head()
    for _ in log:
        line, head = sealed({"event": "began", "at": "2026-11-27T12:00:00+00:00", "command": "nothing"}, head)
        made.append(line + b"\n")
    return made


def _forged(number: int, before: bytes) -> bytes:
    previous = before.partition(b'"hash": "')[2][:64].decode()
    line, _ = sealed({"event": "began", "command": "other"}, Head(number - 1, previous))
    return line + b"\n"


PLANTED: list[tuple[Callable[[Lines], Lines], str]] = [
    (_edited, "Entry 3 (line 3) was edited: it is not what its own hash says."),
    (_edited_and_sealed, "Entry 4 follows another entry 3 than the one that is there."),
    (_last_edited_and_sealed, "Entry 6 is not the one that"),
    (_written_anew, "Entry 6 is not the one that"),
    (lambda log: log[:2] + log[3:], "Between entry 2 and entry 4, entry 3 is missing."),
    (lambda log: log[:1] + log[5:], "Between entry 1 and entry 6, each of the entries 2 to 5 is missing."),
    (lambda log: log[2:], "The log begins with entry 3: each of the entries 1 to 2 before it is missing."),
    (lambda log: [log[0], log[2], log[1], *log[3:]], "Entry 2 stands after entry 3: lines were swapped, or put in."),
    (lambda log: [*log[:3], log[2], *log[3:]], "Entry 3 is there twice."),
    (lambda log: [*log[:3], log[0], *log[3:]], "Entry 1 stands after entry 3: lines were swapped, or put in."),
    (lambda log: [*log[:3], b"\n", *log[3:]], "Line 4 is no entry: it was edited, or cut in the middle."),
    (lambda log: [*log[:3], log[3][:40] + b"\n", *log[4:]], "Line 4 is no entry: it was edited, or cut in the middle."),
    (lambda log: log[:5], "has seen entry 6, and the log ends with entry 5: its end was cut off, or it was emptied."),
    (lambda log: [*log[:5], log[5][:50]], "has seen entry 6, and the log ends with entry 5"),
    (lambda _: [], "has seen entry 6, and the log holds no entry: its end was cut off, or it was emptied."),
    (lambda log: [b"x\n", *log], "What stands before the chain (lines: 1) is not as it was when it began."),
]


@pytest.mark.parametrize(("plant", "sentence"), PLANTED)
def test_what_was_planted_is_found_with_nothing_but_the_note(
    tmp_path: Path, plant: Callable[[Lines], Lines], sentence: str
) -> None:
    fill(tmp_path)
    known = note(tmp_path)
    put(tmp_path, plant(lines(tmp_path)))
    assert sentence in " ".join(look(tmp_path, known).wrong)


@pytest.mark.parametrize(("plant", "sentence"), PLANTED)
def test_what_was_planted_stays_found_after_further_changes(
    tmp_path: Path, plant: Callable[[Lines], Lines], sentence: str
) -> None:
    fill(tmp_path)
    put(tmp_path, plant(lines(tmp_path)))
    fill(tmp_path, 2, 7)
    assert look(tmp_path, note(tmp_path)).wrong


@pytest.mark.parametrize("plant", [_last_edited_and_sealed, _written_anew, lambda log: log[:5], lambda _: []])
def test_without_log_and_note_the_backup_still_knows(tmp_path: Path, plant: Callable[[Lines], Lines]) -> None:
    """Whoever edits the log can edit the note beside it as well, and then no line is wrong by itself."""
    heads = fill(tmp_path)
    put(tmp_path, plant(lines(tmp_path)))
    assert look(tmp_path).wrong == ()
    assert look(tmp_path).unproven
    assert look(tmp_path, backup(heads[-1])).wrong


def test_an_emptied_log_that_grew_again_is_not_the_one_that_the_backup_has_seen(tmp_path: Path) -> None:
    heads = fill(tmp_path / "first")
    fill(tmp_path / "second", 9, 20)
    found = look(tmp_path / "second", backup(heads[-1]))
    assert "Entry 6 is not the one that the backup b1 has seen" in found.wrong[0]


def test_the_backup_of_another_host_proves_nothing_against_this_one(tmp_path: Path) -> None:
    """A stack that moved begins a log of its own."""
    heads = fill(tmp_path / "there")
    fill(tmp_path / "here", 2, 20)
    found = look(tmp_path / "here", backup(heads[-1], host="elsewhere"))
    assert found.wrong == ()
    assert "the backup b1 has seen entry 6" in found.unproven[0]


def test_nothing_at_all(tmp_path: Path) -> None:
    assert look(tmp_path).unproven == ("The log holds no entry, and nothing says that it ever did.",)


def test_lines_from_before_the_chain_are_named_as_not_provable(tmp_path: Path) -> None:
    put(tmp_path, [b"scale worker 6\n", b'{"command": "up"}\n'])
    heads = fill(tmp_path)
    found = look(tmp_path, backup(heads[-1]))
    assert found.wrong == ()
    assert found.unproven == (
        "The first lines (2) have no hash; not provable before 2026-11-27T12:01:00+00:00, when the chain began.",
    )


def test_lines_from_before_the_chain_cannot_change_since(tmp_path: Path) -> None:
    put(tmp_path, [b"scale worker 6\n", b"up\n"])
    fill(tmp_path)
    kept = lines(tmp_path)
    put(tmp_path, [b"scale worker 7\n", *kept[1:]])
    assert look(tmp_path).wrong == ("What stands before the chain (lines: 2) is not as it was when it began.",)
    put(tmp_path, kept[2:])
    assert look(tmp_path).wrong == ("Lines that stood before the chain when it began are missing.",)


def test_a_log_that_never_had_a_chain(tmp_path: Path) -> None:
    put(tmp_path, [b"scale worker 6\n"])
    assert look(tmp_path).unproven[0] == "The first lines (1) have no hash; not provable at all: there is no chain."


def test_seals_cannot_be_taken_off(tmp_path: Path) -> None:
    """So that the lines pass for those of an older release."""
    fill(tmp_path)
    kept = lines(tmp_path)
    put(tmp_path, [line.partition(b', "hash"')[0] + b"}\n" for line in kept[:3]] + kept[3:])
    assert look(tmp_path).wrong


def test_a_clock_that_was_set_back_is_named(tmp_path: Path) -> None:
    fill(tmp_path, 2, 30)
    fill(tmp_path, 1, 5)
    found = look(tmp_path)
    assert found.wrong == ()
    assert found.unproven[0] == "Entry 3 is dated before entry 2: the clock was set back in between."
