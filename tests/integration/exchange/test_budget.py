"""One budget on a real Redis: however many workers there are, an address stays within it."""

import threading
from collections.abc import Iterator
from itertools import pairwise

import pytest
import redis

from services.common.redis_client import redis_client
from services.common.settings import Settings
from services.jobs.exchange.budget import BURST, MOST_WAIT_S, Budget, BudgetSpent, BudgetUnknown
from services.jobs.exchange.client import Exchange
from services.jobs.exchange.clock import Clock
from tests.services.jobs.exchange.fake import COST, START, FakeExchange
from tests.waiting import free_port

pytestmark = pytest.mark.integration

CLIENTS, PAGES = 12, 20
POINTS, PER_S = 24.0, 1.0


@pytest.fixture
def client(settings: Settings) -> Iterator[redis.Redis]:
    with redis_client(settings) as found:
        yield found


def budget(client: redis.Redis, points: float = POINTS, per_s: float = PER_S, address: str = "one") -> Budget:
    return Budget(client, "exchange-binance", address, points, per_s)


def most_within(moments: list[float], seconds: float) -> int:
    """The most of these that lie within so many seconds."""
    ordered = sorted(moments)
    return max(sum(first <= each < first + seconds for each in ordered) for first in ordered)


def test_twelve_clients_stay_below_the_budget_as_the_exchange_counts(
    client: redis.Redis, settings: Settings, exchange: FakeExchange
) -> None:
    went_wrong = list[BaseException]()

    def download() -> None:
        try:
            shared = budget(redis_client(settings))
            clock = Clock()
            ours = Exchange("binance", lambda cost: clock.sleep(shared.take(cost)), clock)
            for _ in range(PAGES):
                ours.page("BTC/USDT", "1h", int(START.timestamp() * 1000))
        except BaseException as error:  # noqa: BLE001 - a thread's failure is the test's
            went_wrong.append(error)

    threads = [threading.Thread(target=download) for _ in range(CLIENTS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(120)
    assert went_wrong == []
    assert len(exchange.came_at) == CLIENTS * PAGES
    # A busy host may send each client's one request late, never more than one: that is all that may come on top.
    assert most_within(exchange.came_at, PER_S) <= POINTS / COST + CLIENTS


def test_places_are_given_evenly_and_some_at_once(client: redis.Redis) -> None:
    shared, waits, taken = budget(client, points=100, per_s=10), list[float](), list[int]()
    for _ in range(150):
        waits.append(shared.take())
        taken.append(int(client.get("tradebot:budget:exchange-binance:one") or 0))
    assert waits[: int(100 * BURST)] == [0] * int(100 * BURST)
    assert max(waits) > 1
    # Nine a second and ten at once are a hundred in any ten seconds.
    assert min(later - earlier for earlier, later in pairwise(taken)) >= 1e6 / 9 - 1


def test_two_workers_share_it_and_another_address_has_its_own(client: redis.Redis, settings: Settings) -> None:
    ours, theirs = budget(client, 10, 100), budget(redis_client(settings), 10, 100)
    assert ours.take() == 0
    assert theirs.take() > 5
    assert budget(client, 10, 100, address="two").take() == 0


def test_who_would_wait_for_long_takes_no_place(client: redis.Redis) -> None:
    shared = budget(client, 10, 100)
    while (wait := _wait(shared)) is not None:
        assert wait <= MOST_WAIT_S
    with pytest.raises(BudgetSpent, match="exchange-binance is spent") as caught:
        shared.take()
    assert MOST_WAIT_S < caught.value.wait_s < MOST_WAIT_S + 12


def _wait(shared: Budget) -> float | None:
    try:
        return shared.take()
    except BudgetSpent:
        return None


def test_without_redis_nothing_is_sent(settings: Settings) -> None:
    away = settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{free_port()}/0"})
    with pytest.raises(BudgetUnknown, match="Redis cannot be used") as caught:
        budget(redis_client(away)).take()
    assert caught.value.name == "exchange-binance"


def test_a_budget_of_nothing_is_refused(client: redis.Redis) -> None:
    with pytest.raises(ValueError, match="allows nothing"):
        budget(client, 0)
