"""Scaling: who leaves, and what is refused. The whole is proved in the integration tests."""

import pytest

from tradebot_ops.engines.base import Replica, State
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.lifecycle.scale import leavers, parse


def workers(*numbers: int) -> list[Replica]:
    return [Replica("worker", number, f"id-{number}", f"worker-{number}", State.RUNNING) for number in numbers]


def test_idle_ones_leave_before_busy_ones_and_the_newest_first() -> None:
    activity = {1: "idle", 2: "idle", 3: "busy", 4: "idle", 5: "busy"}
    chosen = leavers(workers(1, 2, 3, 4, 5), 2, activity, "its job may go on")
    assert [(replica.number, why) for replica, why in chosen] == [
        (4, "idle"),
        (2, "idle"),
        (5, "busy; its job may go on"),
    ]


def test_replica_one_is_the_last_to_leave() -> None:
    assert [replica.number for replica, _ in leavers(workers(1, 2), 1, {1: "idle", 2: "busy"}, "")] == [2]
    assert [replica.number for replica, _ in leavers(workers(1, 2), 0, {}, "")] == [2, 1]


def test_nobody_leaves_when_more_are_wanted() -> None:
    assert leavers(workers(1, 2), 6, {}, "") == []


def test_without_heartbeats_the_newest_leave_and_it_is_said() -> None:
    assert [(i.number, why) for i, why in leavers(workers(1, 2, 3), 2, {}, "")] == [(3, "its heartbeat is unknown")]


@pytest.mark.parametrize(
    ("typed", "expected"), [(("workers", "6"), ("workers", 6)), (("workers=6", None), ("workers", 6))]
)
def test_both_spellings(typed: tuple[str, str | None], expected: tuple[str, int]) -> None:
    assert parse(*typed) == expected


@pytest.mark.parametrize("typed", [("workers", None), ("workers", "six"), ("workers=", None), ("workers", "1.5")])
def test_no_number_no_scaling(typed: tuple[str, str | None]) -> None:
    with pytest.raises(OpsError, match="not a number") as raised:
        parse(*typed)
    assert raised.value.exit_code == 2
