"""Downloads on real workers: refused, all of them wait and none pays for it; killed, the next one goes on."""

from contextlib import closing
from typing import Any

import psycopg
import pytest

from services.common.breaker import Breakers
from services.common.jobtypes import waiting_for
from services.common.ledger import Fault, State
from services.common.redis_client import redis_client
from services.common.settings import Settings
from services.jobs.exchange.budget import PREFIX
from services.jobs.market import store
from tests.integration.worker.conftest import MakeWorker
from tests.integration.worker.rig import Desk
from tests.services.jobs.exchange import fake
from tests.services.jobs.exchange.fake import FakeExchange, bar
from tests.waiting import until

pytestmark = pytest.mark.integration

BREAKER = "exchange-binance"


def payload(exchange: FakeExchange, symbol: str = "BTC/USDT") -> dict[str, Any]:
    asked = {"exchange": "binance", "symbol": symbol, "interval": "1h", "since": "2024-01-01"}
    return {**asked, "url": exchange.url}


def stored(settings: Settings) -> int:
    with closing(psycopg.connect(settings.postgres_dsn("test").get_secret_value())) as connection:
        return len(store.read(connection, "BINANCE:BTC/USDT", interval="1h"))


def test_refused_once_all_downloads_wait_and_no_attempt_is_burned(
    desk: Desk, make_worker: MakeWorker, settings: Settings, exchange: FakeExchange
) -> None:
    exchange.faults = [fake.status(429, {"Retry-After": "3000"})]
    make_worker(name="worker-1")
    first = desk.submit("download", **payload(exchange))
    desk.wait_for(first, State.RETRYING)
    make_worker(name="worker-2")
    jobs = [first, desk.submit("download", **payload(exchange, "ETH/USDT"))]
    waiting = [desk.wait_for(each, State.RETRYING) for each in jobs]
    assert [(job.error_type, job.fault, job.attempt) for job in waiting] == [("BreakerOpen", Fault.STACK, 0)] * 2
    assert len(exchange.asked) == 1
    with closing(redis_client(settings)) as client:
        breakers = Breakers(client)
        (found,) = breakers.all()
        assert (found.name, found.open, found.trips) == (BREAKER, True, 1)
        assert breakers.reset(BREAKER)
    assert desk.ledger.hasten(waiting_for(BREAKER), "reset", by="maria") == 2
    assert [desk.wait_for(each).state for each in jobs] == [State.SUCCEEDED] * 2
    assert stored(settings) == 100


def test_a_budget_that_others_have_spent_is_waited_for_outside_of_the_worker(
    desk: Desk, make_worker: MakeWorker, settings: Settings, exchange: FakeExchange
) -> None:
    key = f"{PREFIX}{BREAKER}:{settings.exchange_address}"
    with closing(redis_client(settings)) as client:
        seconds, micros = client.time()
        client.set(key, (seconds + 3600) * 10**6 + micros)
        make_worker(name="worker-1")
        job = desk.submit("download", **payload(exchange))
        waiting = desk.wait_for(job, State.RETRYING)
        assert (waiting.fault, waiting.attempt, exchange.asked) == (Fault.STACK, 0, [])
        assert waiting.message is not None
        assert f"The budget of requests of {BREAKER} is spent" in waiting.message
        client.delete(key)
    assert desk.ledger.hasten(waiting_for(BREAKER), "the others are done", by="maria") == 1
    assert desk.wait_for(job).state is State.SUCCEEDED


def test_killed_in_the_middle_the_next_attempt_goes_on_where_it_was(
    desk: Desk, make_worker: MakeWorker, settings: Settings, exchange: FakeExchange
) -> None:
    exchange.page = 30
    good = fake.changed(lambda bars: bars)
    exchange.faults = [good, good, fake.slow]
    worker = make_worker(name="worker-1")
    job = desk.submit("download", **payload(exchange))
    until(lambda: len(exchange.asked) == 3, "the third page is asked for", 40)
    worker.kill()
    make_worker(name="worker-2")
    assert desk.wait_for(job, within_s=90).state is State.SUCCEEDED
    # Two pages of thirty, which share a bar.
    assert exchange.asked[3]["startTime"] == str(bar(58)[0])
    assert stored(settings) == 100
