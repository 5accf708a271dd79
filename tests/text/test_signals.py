import signal

import pytest

from tradebot_ops.text.signals import signal_name, signal_number


@pytest.mark.parametrize(
    ("text", "number", "name"),
    [
        ("SIGTERM", 15, "SIGTERM"),
        ("int", 2, "SIGINT"),
        ("9", 9, "SIGKILL"),
        ("SIGRTMIN+3", signal.SIGRTMIN + 3, str(signal.SIGRTMIN + 3)),
        ("rtmax-1", signal.SIGRTMAX - 1, str(signal.SIGRTMAX - 1)),
        ("SIGRTMIN", signal.SIGRTMIN, "SIGRTMIN"),
    ],
)
def test_every_spelling(text: str, number: int, name: str) -> None:
    assert signal_number(text) == number
    assert signal_name(number) == name
    assert signal_number(name) == number


@pytest.mark.parametrize("text", ["", "0", "SIGTRM", "SIGRTMIN+99", "SIGRTMAX+1", "-1", "SIG", "SIG_DFL"])
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="is no signal"):
        signal_number(text)
