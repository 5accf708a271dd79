"""Files of NAME=value lines: as Compose reads them, which the integration tests ask itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradebot_ops.text import dotenv
from tradebot_ops.text.dotenv import DotenvError, Entry, entries, line_of

ENVIRON = {"HOST": "shell", "PASSED": "through"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=1\n# c\n\n  B = 2  \nexport C=3", {"A": "1", "B": "2", "C": "3"}),
        ("A=x y # c\nB=a#b\nC=#c", {"A": "x y", "B": "a#b", "C": "#c"}),
        ("A: yaml\nB=", {"A": "yaml", "B": ""}),
        ("A=1\nB=$A-${A}-${NONE:-d}-$$x", {"A": "1", "B": "1-1-d-$x"}),
        ("HOST=file\nURL=http://${HOST}", {"HOST": "file", "URL": "http://shell"}),
        ("PASSED\nABSENT\nexport PASSED", {"PASSED": "through", "ABSENT": None}),
        (r"A='l $A \n \' \\ e' # c", {"A": r"l $A \n ' \\ e"}),
        (r'A=1;B="q \t\n\x \$A $A \" \\ \0101"'.replace(";", "\n"), {"A": "1", "B": 'q \t\n\\x $A 1 " \\ A'}),
        ('A="two\nlines"\nB=1', {"A": "two\nlines", "B": "1"}),
        ("a-b.c[0]=1", {"a-b.c[0]": "1"}),
        ('A=${NONE:-{"a":{}}}', {"A": '{"a":{}}'}),
        ("A=${EARLIER}", {"A": "before"}),
        ("A=1\nA=2", {"A": "2"}),
    ],
)
def test_reads(text: str, expected: dict[str, str | None]) -> None:
    assert dotenv.values(text, ENVIRON, {"EARLIER": "before"}) == expected


@pytest.mark.parametrize(
    ("text", "line", "name"),
    [
        ("A=1\nthis is none\n", 2, ""),
        ("\n\n=x", 3, ""),
        ("A='open\n\n", 1, "A"),
        ("A=1\nB=$NONE", 2, "B"),
        ('A=1\n\nB="${"', 3, "B"),
    ],
)
def test_names_the_line_that_cannot_be_read(text: str, line: int, name: str) -> None:
    with pytest.raises(DotenvError) as caught:
        dotenv.values(text, {}, {})
    assert (caught.value.line, caught.value.name) == (line, name)
    assert caught.value.hint


def test_a_value_that_cannot_be_read_is_not_quoted() -> None:
    with pytest.raises(DotenvError) as caught:
        dotenv.values("PASSWORD=hunter2$", {}, {})
    assert "hunter2" not in str(caught.value)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_a_line_was_written_for_is_read_from_it(value: str) -> None:
    assert dotenv.values(line_of("A", value) + "B=1\n", {"x": "no"}, {}) == {"A": value, "B": "1"}


def test_an_entry_covers_its_comment_and_its_line_break() -> None:
    text = "# first\nexport A='1' # c\n\nB=2 # d\n C=3"
    found = [text[entry.start : entry.end] for entry in entries(text) if isinstance(entry, Entry)]
    assert found == ["export A='1' # c\n", "B=2 # d\n", "C=3"]
