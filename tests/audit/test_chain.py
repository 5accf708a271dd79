"""A line is sealed by what stands in it and by the line before."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradebot_ops.audit.chain import Entry, Head, seal_holds, sealed
from tradebot_ops.shapes import ShapeError

LINE, HEAD = sealed({"event": "began", "command": "scale", "arguments": ["worker", "6"]}, Head())


def read(line: bytes) -> Entry:
    entry = Entry.read(line)
    assert entry is not None
    return entry


def test_a_line_is_an_object_that_names_its_place_and_the_line_before() -> None:
    following, head = sealed({"event": "ended"}, HEAD)
    assert json.loads(LINE)["previous"] == ""
    assert json.loads(following)["previous"] == HEAD.hash == read(LINE).hash
    assert (HEAD.entries, head.entries) == (1, 2)
    assert read(following).head == head


@given(st.integers(0, len(LINE) - 1), st.integers(1, 255))
def test_no_byte_of_a_line_can_change_unseen(place: int, by: int) -> None:
    changed = bytearray(LINE)
    changed[place] = (changed[place] + by) % 256
    entry = Entry.read(bytes(changed))
    assert entry is None or not seal_holds(bytes(changed), entry)


@given(st.dictionaries(st.text(), st.text()))
def test_whatever_stands_in_it_the_seal_holds(content: dict[str, str]) -> None:
    line, head = sealed({"error": json.dumps(content)}, HEAD)
    assert b"\n" not in line
    assert seal_holds(line, read(line))
    assert read(line).hash == head.hash


@pytest.mark.parametrize(
    "line", [b"", b"x", b"[]", b'{"number": 1}', b'{"number": 1, "hash": 3, "previous": ""}', b"[" * 9999, b"\xff"]
)
def test_what_is_no_entry(line: bytes) -> None:
    assert Entry.read(line) is None


def test_an_end_is_written_and_read() -> None:
    assert Head.parsed(str(HEAD)) == HEAD == Head.of(HEAD.content())


@pytest.mark.parametrize("typed", ["", "7", "7:abc", f"x:{'0' * 64}", f"7:{'G' * 64}"])
def test_what_is_no_end(typed: str) -> None:
    with pytest.raises(ShapeError):
        Head.parsed(typed)
