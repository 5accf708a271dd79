"""Facts about Redis and Postgres against real ones: right answers, and what is said where there are none."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.integration.parts import PASSWORD, PostgresPart, RedisPart
from tests.waiting import until
from tradebot_ops.clients.postgres import Account, Postgres
from tradebot_ops.clients.redis import Redis
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Address
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.facts.asking import Facts
from tradebot_ops.facts.fact import Fact, Unknown
from tradebot_ops.facts.stores import postgres as postgres_facts
from tradebot_ops.facts.stores import postgres_access, postgres_load, redis, redis_load
from tradebot_ops.settings import Secret, load_settings

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("parts")]

#: The server has 60, and keeps three for superusers.
LEFT = 57
OF_POSTGRES: list[Fact[Any]] = [
    *(value for value in vars(postgres_facts).values() if isinstance(value, Fact)),
    *(value for value in vars(postgres_access).values() if isinstance(value, Fact)),
    *(value for value in vars(postgres_load).values() if isinstance(value, Fact)),
]
OF_REDIS: list[Fact[Any]] = [
    value
    for value in (*vars(redis).values(), *vars(redis_load).values())
    if isinstance(value, Fact) and value is not redis.anonymous  # it has no password to be wrong
]


@pytest.fixture
def ops(tmp_path: Path, postgres: PostgresPart, redis_server: RedisPart) -> Ops:
    return opened(tmp_path, postgres, redis_server)


def opened(folder: Path, server: PostgresPart, redis_server: RedisPart, password: str = PASSWORD) -> Ops:
    engine = StubEngine("demo")
    engine.endpoint = lambda service, port, number=1: Address("127.0.0.1", redis_server.port)  # type: ignore[method-assign]
    ops = Ops(load_settings({}, {"TRADEBOT_STATE": str(folder)}, folder), engine)
    secret = Secret(password)
    ops.postgres = Postgres("127.0.0.1", server.port, Account("tradebot", secret, "postgres"), 2)
    ops.postgres_app = ops.postgres
    ops.redis = Redis("127.0.0.1", redis_server.port, secret, timeout=2)
    return ops


def test_a_row_and_a_key_are_kept(ops: Ops) -> None:
    assert postgres_facts.written(ops).read_back
    trip = redis.round_trip(ops)
    assert (trip.read_back, trip.expired) == (True, True)


def test_settings_say_what_is_off(ops: Ops) -> None:
    found = postgres_facts.settings(ops)
    assert found["fsync"].value == "off"
    assert found["full_page_writes"].value == "on"
    assert not found["shared_buffers"].pending, "set on the command line, so no restart will change it"


def test_statements_that_run_are_shown_where_none_are_recorded(ops: Ops, postgres: PostgresPart) -> None:
    """A view of records is no record: this server has not loaded the library behind it."""
    with closing(postgres.connect()) as admin:
        admin.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    assert not postgres_load.statements(ops).recorded
    with closing(postgres.connect()) as other, ThreadPoolExecutor(1) as pool:
        running = pool.submit(other.execute, "SELECT pg_sleep(30), 'a secret'")
        try:
            found = until(lambda: [each for each in postgres_load.statements(ops).found if "pg_sleep" in each.text],
                          "the statement is seen")  # fmt: skip
            waits = dict(postgres_load.waits(ops).sessions)
        finally:
            other.cancel_safe()
            assert isinstance(running.exception(10), psycopg.errors.QueryCanceled)
    assert [each.text for each in found] == ["SELECT pg_sleep(…), …"]
    assert waits["Timeout: PgSleep"] == pytest.approx(1.0, abs=0.5)


def test_no_more_connections_are_taken_than_there_are(ops: Ops, postgres: PostgresPart) -> None:
    """Who asks here may have one of those that are reserved."""
    with ExitStack() as open_:
        with suppress(psycopg.OperationalError):
            while True:
                last = open_.enter_context(closing(postgres.connect()))
        last.close()
        found = until(
            lambda: found if (found := postgres_facts.connections(ops)).most == LEFT else None, "one is free again"
        )
    assert found.used == LEFT


def test_reads_and_writes_of_relations(ops: Ops) -> None:
    found = postgres_load.io(ops)
    assert found.reads + found.writes + found.extends > 0
    assert found.own <= found.writes
    assert found.seconds is None, "nothing measures it unless it is told to"


def test_commands_of_now_and_the_largest_keys(ops: Ops) -> None:
    ops.redis.grant_drain(["large"], 1.5)
    assert "INFO" in {each.name for each in redis_load.commands(ops)}
    assert "tradebot:drain:large" in {each.name for each in redis_load.largest(ops).largest}


def test_access_and_roles(ops: Ops) -> None:
    assert {rule.method for rule in postgres_access.access(ops)} == {"scram-sha-256"}
    (mine,) = [role for role in postgres_access.roles(ops) if role.name == postgres_access.app_user(ops)]
    assert mine.superuser


def test_indexes_are_read_and_the_extension_is_gone_afterwards(ops: Ops, postgres: PostgresPart) -> None:
    with closing(postgres.connect()) as admin:
        admin.execute("CREATE TABLE IF NOT EXISTS indexed (n int PRIMARY KEY)")
    found = postgres_facts.integrity(ops)
    assert (found.why, found.damage) == ("", "")
    assert found.checked >= 1
    assert ops.postgres.rows("SELECT 1 FROM pg_extension WHERE extname = 'amcheck'") == []


def test_a_login_without_a_password_is_refused(ops: Ops) -> None:
    assert redis.anonymous(ops).refused


def test_a_wrong_password_is_no_answer(tmp_path: Path, postgres: PostgresPart, redis_server: RedisPart) -> None:
    facts = Facts(opened(tmp_path, postgres, redis_server, "wrong"))
    for fact in (*OF_POSTGRES, *OF_REDIS):
        answer = facts.value(fact)
        assert isinstance(answer, Unknown), fact
        assert "refuse" in answer.why, answer


def test_servers_that_hang_are_no_answer_in_time(
    tmp_path: Path, own_postgres: PostgresPart, own_redis: RedisPart
) -> None:
    facts = Facts(opened(tmp_path, own_postgres, own_redis))
    own_postgres.pause()
    own_redis.pause()
    try:
        facts.start((*OF_POSTGRES, *OF_REDIS))
        assert all(isinstance(facts.value(fact), Unknown) for fact in (*OF_POSTGRES, *OF_REDIS))
    finally:
        own_postgres.resume()
        own_redis.resume()
