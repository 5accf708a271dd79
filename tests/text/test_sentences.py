"""One full stop, whatever the words of another program end with."""

import pytest

from tradebot_ops.text.sentences import ended


@pytest.mark.parametrize(
    ("text", "expected"),
    [("disk on fire", "disk on fire."), ("It burns.\n", "It burns."), ("Who are you?", "Who are you?"), ("a)", "a).")],
)
def test_it_ends_once(text: str, expected: str) -> None:
    assert ended(text) == expected
