"""Tables lose nothing, however narrow the terminal; a pipe gets each row on one line."""

import io
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from tradebot_ops.model import Report, Section, Table
from tradebot_ops.render import table

ID = "6f1c1f8c-4c0e-4f5e-9d53-2f7a1c9e0b11"
REASON = "The limits exceed the processors: under load, services wait for one another, and that for long."

cells = st.one_of(
    st.text("abc019-", max_size=40), st.lists(st.text("xyz", min_size=1, max_size=12), max_size=12).map(" ".join)
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(shape: Table, stream: io.StringIO) -> str:
    table.render(Report(sections=(Section(tables=(shape,)),)), stream, False)
    return Text.from_ansi(stream.getvalue()).plain


def letters(text: str) -> Counter[str]:
    return Counter("".join(text.split()))


@pytest.fixture
def columns(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.delenv("COLUMNS", raising=False)
    return monkeypatch


@given(
    rows=st.lists(st.tuples(cells, cells, cells, cells), min_size=1, max_size=4), width=st.sampled_from([60, 80, 200])
)
def test_every_character_of_every_cell_is_shown_within_the_width(rows: list[tuple[str, ...]], width: int) -> None:
    shape = Table(("id", "what", "why", "next"), tuple(rows))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", str(width))
        text = shown(shape, Terminal())
    headings = "IDWHATWHY" + ("NEXT" if any(row[-1] for row in rows) else "")
    assert letters(text) == letters(headings + "".join(cell for row in rows for cell in row))
    assert max(map(len, text.splitlines())) <= width


def test_prose_folds_and_ids_stay_whole(columns: pytest.MonkeyPatch) -> None:
    columns.setenv("COLUMNS", "80")
    lines = shown(Table(("job", "why", "state"), ((ID, REASON, "dead"),)), Terminal()).splitlines()
    assert lines[1].startswith(f"{ID}  The limits exceed the")
    assert lines[1].rstrip().endswith("dead")
    assert len(lines) > 3


def test_a_pipe_gets_each_row_on_one_line(columns: pytest.MonkeyPatch) -> None:
    text = shown(Table(("job", "why", "state"), ((ID, REASON, "dead"), (ID, REASON, "queued"))), io.StringIO())
    assert text.splitlines()[1] == f"{ID}  {REASON}  dead  "
