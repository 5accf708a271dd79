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


def colours(cells: tuple[str, ...], *headings: str) -> list[str]:
    """The style of each cell of one row on a terminal with colours; empty where it has none."""
    shape = table.grid(Table(headings or tuple(f"c{place}" for place in range(len(cells))), (cells,)), 200)
    row = shape.rows[0].style
    return [str(row or "") or str(next(iter(column.cells)).style) for column in shape.columns]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("word", "colour"),
    [
        ("create", "green"), ("recreate", "yellow"), ("remove", "red"),
        ("firing", "red"), ("critical", "red"), ("silenced", "cyan"), ("up", "green"), ("down", "red"),
        ("dead", "red"), ("a sentence", ""),
    ],
)  # fmt: skip
def test_words_have_their_colours(word: str, colour: str) -> None:
    assert colours((word, "x")) == [colour, ""]


def test_restarts_stand_out_where_there_are_some() -> None:
    assert colours(("0", "3", "3"), "restarts", "restarts", "attempt") == ["", "yellow", ""]


def test_what_cannot_run_here_is_dim() -> None:
    assert colours(("grafana-1", "unavailable", "0")) == ["dim", "dim", "dim"]


def test_nothing_in_a_cell_commands_the_terminal() -> None:
    text = io.StringIO()
    report = Report(sections=(Section("\x1b]0;a\x07", ("\x1b[2Jb",), (Table(("c",), (("\x1b[8md\r",),)),)),))
    table.render(report, text, False)
    assert not set(text.getvalue()) & {"\x07", "\r"}
    assert "\\x1b[2Jb" in text.getvalue()
    assert "\x1b[2J" not in text.getvalue()


PAGE = Section(lines=("# RedisDown", "", "Do **this**:", "", "```", "tradebot up", "```"), markdown=True)


def test_markdown_is_rendered_on_a_terminal_and_kept_elsewhere() -> None:
    pipe, terminal = io.StringIO(), Terminal()
    table.render(Report(sections=(PAGE,)), pipe, False)
    table.render(Report(sections=(PAGE,)), terminal, False)
    assert pipe.getvalue().splitlines() == list(PAGE.lines)
    shown = Text.from_ansi(terminal.getvalue()).plain
    assert "RedisDown" in shown
    assert "Do this:" in shown
    assert "tradebot up" in shown
    assert "```" not in shown
