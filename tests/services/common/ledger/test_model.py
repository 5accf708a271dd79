"""Shapes of the ledger: which states are final, and what is assumed where nobody says."""

import pytest

from services.common.ledger.history import _old
from services.common.ledger.model import Failure, Fault, State
from services.common.ledger.rules.queues import QueueStatus


@pytest.mark.parametrize("state", State)
def test_what_is_over_is_over_for_good(state: State) -> None:
    assert state.final is (state.value in {"succeeded", "dead", "cancelled"})


def test_a_failure_of_which_nothing_else_is_known_is_the_jobs_and_is_tried_again() -> None:
    found = Failure("ValueError", "no")
    assert (found.fault, found.final, found.killed, found.wait_s) == (Fault.JOB, False, False, None)
    assert (found.traceback, found.fingerprint) == ("", "")


def test_a_type_without_jobs_and_rules_has_none() -> None:
    found = QueueStatus("backtest")
    assert (found.waiting, found.scheduled, found.retrying, found.running, found.dead) == (0, 0, 0, 0, 0)
    assert (found.paused, found.closed, found.max_running, found.oldest_at) == (False, False, None, None)


def test_only_jobs_that_are_over_can_be_pruned_whatever_is_asked_for() -> None:
    assert set(_old(60.0, list(State))["states"]) == {state.value for state in State if state.final}
    assert _old(60.0, [State.DEAD, State.QUEUED])["states"] == ["dead"]
