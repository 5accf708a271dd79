"""Foreign text never commands a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradebot_ops.text.visible import visible


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain, ö, 日本", "plain, ö, 日本"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;owned\x07", "\\x1b]0;owned\\x07"),
        ("\x1b[2J\x1b[H", "\\x1b[2J\\x1b[H"),
        ("\x1b]52;c;ZXZpbA==\x1b\\", "\\x1b]52;c;ZXZpbA==\\x1b\\"),
        ("100 %\rdone", "100 %\\rdone"),
        ("\x9b31m", "\\x9b31m"),
        ("a\u202eb", "a\\u202eb"),
        ("a\tb\nc", "a\tb\nc"),
    ],
)
def test_controls_are_spelt_out(text: str, expected: str) -> None:
    assert visible(text) == expected


@given(st.text())
def test_nothing_live_is_left(text: str) -> None:
    assert not any((sign < " " and sign not in "\t\n") or "\x7f" <= sign < "\xa0" for sign in visible(text))
