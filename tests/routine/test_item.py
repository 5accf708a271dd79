"""An item is done once anybody looked, and found what the worst of them saw."""

import pytest

from tradebot_ops.model import Finding, Level
from tradebot_ops.routine.item import State, state_of


@pytest.mark.parametrize(
    ("levels", "state"),
    [
        ([], State.SKIPPED),
        ([Level.SKIP], State.SKIPPED),
        ([Level.SKIP, Level.PASS], State.DONE),
        ([Level.INFO], State.DONE),
        ([Level.PASS, Level.WARN], State.FOUND),
        ([Level.SKIP, Level.ERROR], State.FOUND),
        ([Level.FAIL, Level.PASS], State.FOUND),
    ],
)
def test_states(levels: list[Level], state: State) -> None:
    assert state_of([Finding(level, "X", "seen") for level in levels]) is state
