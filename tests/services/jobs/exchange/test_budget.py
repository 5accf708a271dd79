"""What a place in a budget takes and how long it waits; the arithmetic in Redis is tried in
tests/integration/exchange/test_budget.py."""

from typing import Any
from unittest.mock import Mock

import pytest
import redis

from services.jobs.exchange.budget import BURST, MOST_WAIT_S, UNKNOWN_WAIT_S, Budget, BudgetSpent, BudgetUnknown


def budget(answer: Any, points: float = 100.0, per_s: float = 60.0) -> tuple[Budget, Mock]:
    client = Mock(spec=redis.Redis)
    script = client.register_script.return_value
    script.side_effect = answer if isinstance(answer, Exception) else None
    script.return_value = answer
    return Budget(client, "exchange-binance", "192.0.2.1", points, per_s), script


@pytest.mark.parametrize(("wait_us", "wait_s"), [(0, 0.0), (b"1500000", 1.5)])
def test_a_place_is_one_of_all_workers_behind_the_address(wait_us: Any, wait_s: float) -> None:
    made, script = budget(wait_us)
    assert made.take(3.0) == wait_s
    point_us = 60e6 / (100 - BURST * 100)
    script.assert_called_once_with(
        keys=["tradebot:budget:exchange-binance:192.0.2.1"],
        args=[round(3 * point_us), round(BURST * 100 * point_us), MOST_WAIT_S * 1e6],
    )


def test_a_request_takes_one_point_unless_it_says_more() -> None:
    made, script = budget(0, points=10, per_s=9)
    made.take()
    assert script.call_args.kwargs["args"][:2] == [1_000_000, 1_000_000]


def test_who_would_wait_for_long_gives_up_its_worker() -> None:
    with pytest.raises(
        BudgetSpent, match=r"^The budget of requests of exchange-binance is spent: wait 21 s\.$"
    ) as spent:
        budget(-21_000_000)[0].take()
    assert (spent.value.name, spent.value.wait_s) == ("exchange-binance", 21.0)
    with pytest.raises(BudgetSpent) as spent:
        budget(-1)[0].take()
    assert spent.value.wait_s == 1e-6


def test_without_redis_nothing_is_sent() -> None:
    with pytest.raises(BudgetUnknown) as unknown:
        budget(redis.ConnectionError("away"))[0].take()
    assert (unknown.value.name, unknown.value.wait_s) == ("exchange-binance", UNKNOWN_WAIT_S)
    assert str(unknown.value) == (
        "The budget of requests of exchange-binance cannot be asked: how much of it is left is not known, for Redis"
        " cannot be used; wait 15 s."
    )


@pytest.mark.parametrize(("points", "per_s"), [(0, 60), (-1, 60), (1, 0), (1, -1)])
def test_a_budget_that_allows_nothing_is_none(points: float, per_s: float) -> None:
    with pytest.raises(ValueError, match=f"^a budget of {points} points in {per_s} s allows nothing$"):
        budget(0, points, per_s)


def test_the_least_budget_is_one() -> None:
    assert budget(0, 0.5, 0.5)[0].take() == 0.0
