"""What the states of a replica mean, for every engine and operation."""

import pytest

from tradebot_ops.engines.base import State


@pytest.mark.parametrize("state", State)
def test_only_what_ended_or_never_began_is_not_alive(state: State) -> None:
    assert state.alive is (state not in {State.CREATED, State.EXITED, State.FAILED})
