"""Circuit breakers on a real Redis: what one worker learns all know, and one alone probes."""

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import redis
import structlog
from structlog.testing import capture_logs

from services.common import breaker
from services.common.breaker import INDEX, Breakers
from services.common.jobtypes import BreakerOpen, BreakerPolicy, BreakerUnknown
from services.common.redis_client import ANSWER_TIMEOUT_S, redis_client
from services.common.settings import Settings
from tests.integration.parts import RedisPart
from tests.integration.services.conftest import KEY, Serve
from tests.integration.services.test_dead_letters import ops_of
from tests.waiting import free_port, until
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.work import breakers as facts
from tradebot_ops.operations.jobs import breakers as operation

pytestmark = pytest.mark.integration

LONG = BreakerPolicy(threshold=3, first_s=600, most_s=600)
STATE = "tradebot:breaker:market-data"


class DownError(Exception):
    """The service fails."""


class BusyError(DownError):
    retry_after_s = 1234.0


@pytest.fixture
def client(settings: Settings) -> Iterator[redis.Redis]:
    with contextlib.closing(redis_client(settings)) as found:
        yield found


def fail(
    breakers: Breakers, times: int = 1, kind: type[DownError] = DownError, policy: BreakerPolicy = LONG
) -> list[type[BaseException]]:
    """The exceptions that so many failing calls end with."""
    ends: list[type[BaseException]] = []
    for _ in range(times):
        try:
            with breakers.guard("market-data", (DownError,), policy):
                raise kind("no answer")
        except (DownError, BreakerOpen) as error:
            ends.append(type(error))
    return ends


def call(breakers: Breakers) -> bool:
    """Whether a call is let through; it succeeds."""
    try:
        with breakers.guard("market-data", (DownError,)):
            return True
    except BreakerOpen:
        return False


def test_one_worker_opens_it_and_all_see_it(client: redis.Redis, settings: Settings) -> None:
    ours, theirs = Breakers(client), Breakers(redis_client(settings))
    assert fail(ours, 3) == [DownError, DownError, BreakerOpen]
    with pytest.raises(BreakerOpen) as raised, theirs.guard("market-data"):
        pytest.fail("the service was called")
    assert 300 < raised.value.wait_s < 602
    (found,) = theirs.all()
    assert (found.name, found.open, found.trips, found.failures) == ("market-data", True, 1, 0)
    assert found.error == "DownError: no answer"


def test_a_success_forgives_earlier_failures(client: redis.Redis) -> None:
    breakers = Breakers(client)
    for _ in range(3):
        assert fail(breakers, 2) == [DownError, DownError]
        assert call(breakers)
    assert not breakers.all()[0].open


def test_other_exceptions_do_not_speak_against_the_service(client: redis.Redis) -> None:
    breakers = Breakers(client)
    for _ in range(5):
        with pytest.raises(KeyError), breakers.guard("market-data", (DownError,)):
            raise KeyError("ours")
    assert breakers.all() == []


def test_of_many_one_alone_probes_and_closes_it(client: redis.Redis, settings: Settings) -> None:
    breakers = Breakers(client)
    fail(breakers, 3)
    client.hset(STATE, "open_until", 1)  # its time is over
    inside, release = threading.Semaphore(0), threading.Event()
    through: list[bool] = []

    def attempt() -> None:
        try:
            with Breakers(redis_client(settings)).guard("market-data"):
                inside.release()
                release.wait(10)
            through.append(True)
        except BreakerOpen:
            through.append(False)

    threads = [threading.Thread(target=attempt) for _ in range(6)]
    for each in threads:
        each.start()
    assert inside.acquire(timeout=10)
    until(lambda: len(through) == 5, "all others are refused", 10)
    release.set()
    for each in threads:
        each.join(10)
    assert sorted(through) == [False] * 5 + [True]
    assert not breakers.all()[0].open
    assert call(breakers)


def test_a_probe_that_fails_opens_it_for_longer(client: redis.Redis) -> None:
    breakers = Breakers(client)
    policy = BreakerPolicy(threshold=1, first_s=100, most_s=500)
    fail(breakers, policy=policy)
    for wait in (200_000, 400_000, 500_000):
        client.hset(STATE, "open_until", 1)
        assert fail(breakers, policy=policy) == [BreakerOpen]
        assert int(client.hget(STATE, "wait") or 0) == wait
    assert breakers.all()[0].trips == 1


def test_a_call_from_before_it_opened_changes_nothing(client: redis.Redis) -> None:
    breakers = Breakers(client)
    with contextlib.suppress(BreakerOpen), breakers.guard("market-data", (DownError,)):
        assert fail(Breakers(client), 3)[-1] is BreakerOpen
        before = client.hgetall(STATE)
        raise DownError("late")
    assert client.hgetall(STATE) == before
    with breakers.guard("other"):
        pass


def test_a_service_says_how_long_to_stay_away(client: redis.Redis) -> None:
    breakers = Breakers(client)
    assert fail(breakers, kind=BusyError) == [BreakerOpen]
    with pytest.raises(BreakerOpen) as raised, breakers.guard("market-data"):
        pytest.fail("the service was called")
    assert 1200 < raised.value.wait_s < 1236


def test_reset_lets_calls_through_at_once(client: redis.Redis) -> None:
    breakers = Breakers(client)
    fail(breakers, 3)
    assert not call(breakers)
    assert breakers.reset("market-data")
    assert not breakers.reset("market-data")
    assert call(breakers)
    assert breakers.all()[0].trips == 1


def test_redis_wiped_forgets_it(client: redis.Redis) -> None:
    breakers = Breakers(client)
    fail(breakers, 3)
    client.flushdb()
    assert call(breakers)
    assert client.smembers(INDEX) == set()


def test_without_redis_every_call_is_let_through_and_that_is_logged_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One that was used before writes as an API of another test in this process had set it up.
    monkeypatch.setattr(breaker, "log", structlog.get_logger())
    away = settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{free_port()}/0"})
    breakers = Breakers(redis_client(away))
    with capture_logs() as logged:
        assert fail(breakers, 5) == [BreakerUnknown] * 5
        assert call(breakers)
    assert [each["event"] for each in logged] == ["circuit breakers unknown: calls are let through"]
    with pytest.raises(redis.RedisError):
        breakers.all()


@pytest.mark.parametrize(("kind", "least_s", "most_s"), [(DownError, 300, 600), (BusyError, 1234, 1234)])
def test_what_fails_without_redis_waits_as_for_an_open_one(
    settings: Settings, kind: type[DownError], least_s: float, most_s: float
) -> None:
    away = settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{free_port()}/0"})
    guard = Breakers(redis_client(away)).guard("market-data", (DownError,), LONG)
    with pytest.raises(BreakerUnknown, match="state is not known") as raised, guard:
        raise kind("no answer")
    assert least_s <= raised.value.wait_s <= most_s
    assert isinstance(raised.value.__cause__, kind)


def test_a_hung_redis_is_waited_for_once(own_redis: RedisPart) -> None:
    client = redis_client(Settings(redis_url=own_redis.url(), redis_password_file=own_redis.password_file))
    breakers = Breakers(client, away_s=3.0)
    fail(breakers, 3)
    own_redis.pause()
    try:
        began = time.monotonic()
        assert all(call(breakers) for _ in range(20))
        assert time.monotonic() - began < 2 * ANSWER_TIMEOUT_S
    finally:
        own_redis.resume()
    until(lambda: not call(breakers), "its state is known again", 10)


def test_a_full_redis_counts_no_failure_and_no_attempt(own_redis: RedisPart) -> None:
    client = own_redis.client()
    own_redis.fill()
    assert fail(Breakers(client), 2) == [BreakerUnknown] * 2
    assert call(Breakers(client))


@pytest.mark.parametrize("name", ["", "Market", "a b", "a" * 41, "-a", "a:b"])
def test_a_name_that_is_none(client: redis.Redis, name: str) -> None:
    with pytest.raises(ValueError, match="no name of a circuit breaker"), Breakers(client).guard(name):
        pass


def test_a_probe_that_was_believed_lost_changes_nothing(client: redis.Redis) -> None:
    breakers = Breakers(client)
    fail(breakers, 3)
    client.hset(STATE, "open_until", 1)
    slow = breakers.guard("market-data", (DownError,), LONG)
    slow.__enter__()
    client.hset(STATE, "probe_until", 1)  # it takes too long
    with breakers.guard("market-data"):
        assert not call(breakers)
    assert not breakers.all()[0].open  # the second probe closed it
    client.hset(STATE, "open_until", 1)
    with breakers.guard("market-data"):
        third = client.hget(STATE, "probe")
        with pytest.raises(BreakerOpen):
            slow.__exit__(DownError, DownError("late"), None)
        assert client.hget(STATE, "probe") == third
    assert not breakers.all()[0].open


def test_a_probe_that_ends_for_a_reason_of_its_own_lets_another_one_through(client: redis.Redis) -> None:
    breakers = Breakers(client)
    for reason in (KeyError("ours"), KeyboardInterrupt()):
        fail(breakers, 3)
        client.hset(STATE, "open_until", 1)
        with pytest.raises(type(reason)), breakers.guard("market-data", (DownError,)):
            raise reason
        assert call(breakers)


def test_secrets_are_masked_in_what_is_kept(client: redis.Redis) -> None:
    breakers = Breakers(client, lambda text: text.replace("hunter2", "***"))
    with pytest.raises(DownError), breakers.guard("market-data"):
        raise DownError("GET http://user:hunter2@host failed")
    assert breakers.all()[0].error == "DownError: GET http://user:***@host failed"


def test_the_api_shows_and_resets_them(api: httpx.Client, client: redis.Redis) -> None:
    assert api.get("/breakers").json() == {"breakers": []}
    assert "circuit_breaker_open{" not in api.get("/metrics").text
    fail(Breakers(client), 3)
    (found,) = api.get("/breakers").json()["breakers"]
    assert (found["name"], found["open"], found["trips"]) == ("market-data", True, 1)
    until(lambda: 'circuit_breaker_open{dependency="market-data"} 1.0' in api.get("/metrics").text, "the metric", 10)
    assert 'circuit_breaker_trips_total{dependency="market-data"} 1.0' in api.get("/metrics").text
    assert api.post("/breakers/market-data/reset").status_code == 401
    assert api.post("/breakers/nobody/reset", headers=KEY).status_code == 404
    assert api.post("/breakers/No%00body/reset", headers=KEY).status_code == 422
    for _ in range(2):
        answer = api.post("/breakers/market-data/reset", headers=KEY)
        assert (answer.status_code, answer.json()["open"]) == (200, False)


def test_api_and_command_line_do_not_know_a_state_while_redis_is_away(
    serve: Serve, settings: Settings, tmp_path: Path
) -> None:
    away = settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{free_port()}/0"})
    api = serve(away)
    for answer in (api.get("/breakers"), api.post("/breakers/market-data/reset", headers=KEY)):
        assert answer.status_code == 503
        assert "Redis does not answer" in answer.json()["detail"]
    assert "circuit_breaker_open{" not in api.get("/metrics").text
    ops = ops_of(str(api.base_url), tmp_path)
    for ask in (lambda: operation.list_(ops), lambda: operation.reset(ops, "market-data"), lambda: facts.breakers(ops)):
        with pytest.raises(OpsError, match="Redis does not answer, so no circuit breaker is known"):
            ask()
