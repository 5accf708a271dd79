"""The client against a real server: what it reads, what it may not, and what it leaves behind."""

import time

import pytest

from tests.integration.parts import PASSWORD, RedisPart
from tradebot_ops.clients.redis import CHECK_PREFIX, DRAIN_PREFIX, WORKERS_DESIRED, Redis
from tradebot_ops.errors import OpsError, Refused, Unreachable
from tradebot_ops.operations.secrets import redis_acl
from tradebot_ops.settings import Secret

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("parts")]


@pytest.fixture
def server(own_redis: RedisPart) -> RedisPart:
    return own_redis


def client(part: RedisPart, password: str | None = PASSWORD, user: str | None = None, timeout: float = 3.0) -> Redis:
    return Redis("127.0.0.1", part.port, Secret(password) if password is not None else None, user, timeout)


def test_statistics_and_settings(redis_server: RedisPart) -> None:
    asked = client(redis_server)
    assert asked.info("persistence")["aof_enabled"] == 1
    assert {"used_memory", "maxmemory_policy", "evicted_keys"} <= asked.info().keys()
    assert asked.config("appendonly") == {"appendonly": "yes"}
    assert asked.config("nothing-of-that-name") == {}


def test_passwords_among_the_settings_are_hidden(redis_server: RedisPart) -> None:
    settings = client(redis_server).config()
    assert settings["requirepass"] == "[REDACTED]"
    assert settings["masterauth"] == "", "that none is set may be seen"
    assert PASSWORD not in str(settings)


def test_latencies_of_pings(redis_server: RedisPart) -> None:
    found = client(redis_server).ping_latencies(20)
    assert len(found) == 20
    assert list(found) == sorted(found)
    assert 0 < found[0] < 1


def test_slow_commands(server: RedisPart) -> None:
    server.client().config_set("slowlog-log-slower-than", 0)
    server.client().set("some-key", "x" * 1000)
    began = time.time()
    slow = next(each for each in client(server).slowlog() if each.command.startswith("SET some-key"))
    assert len(slow.command) <= 200
    assert 0 <= slow.seconds < 1
    assert abs(slow.at - began) < 60
    assert slow.client.startswith("127.0.0.1:")


def test_the_largest_of_a_sample_of_keys(server: RedisPart) -> None:
    admin = server.client()
    admin.mset({f"small:{number}": "x" for number in range(3000)})
    admin.rpush("large", *("y" * 100 for _ in range(1000)))
    found = client(server).sizes(2)
    assert (found.looked_at, found.complete) == (3001, True)
    assert (found.largest[0].name, found.largest[0].type) == ("large", "list")
    assert found.largest[0].bytes > 100_000 > found.largest[1].bytes
    some = client(server).sizes(2, steps=1)
    assert not some.complete
    assert some.looked_at < 3001


def test_clients(redis_server: RedisPart) -> None:
    found = client(redis_server).clients()
    assert all(each["addr"] and each["user"] == "default" for each in found)
    assert any(each["cmd"] == "client|list" for each in found)


def test_keys_are_searched_within_bounds(server: RedisPart) -> None:
    with server.client().pipeline() as pipeline:
        for number in range(5000):
            pipeline.set(f"a:{number}", "")
        pipeline.set(b"b:\xff", "")
        pipeline.execute()
    asked = client(server)
    everything = asked.scan("a:*", most=10_000)
    assert (len(everything.names), everything.complete) == (5000, True)
    some = asked.scan("a:*", most=10)
    assert (len(some.names), some.complete) == (10, False)
    assert asked.scan("a:*", most=10_000, steps=1).complete is False
    assert asked.scan("nothing:*", steps=2).complete is False, "two steps do not see every key"
    assert asked.scan("nothing:*").names == ()
    assert len(asked.scan("b:*").names) == 1, "a name that is no UTF-8"


def test_doctors(redis_server: RedisPart) -> None:
    asked = client(redis_server)
    assert "latency" in asked.latency_doctor().lower()
    assert len(asked.memory_doctor()) > 20


@pytest.fixture
def with_users(server: RedisPart) -> RedisPart:
    """The users of the stack, made as `up` makes them."""
    file = server.folder / "users.acl"
    file.write_text(redis_acl({"redis_password": PASSWORD, "redis_exporter_password": "exporter-password"}, ""))
    server.stop()
    server.command = [word for word in server.command if word not in {"--requirepass", PASSWORD}]
    server.command += ["--aclfile", str(file)]
    server.start()
    return server


def test_users(with_users: RedisPart) -> None:
    asked = client(with_users)
    assert asked.acl_whoami() == "default"
    everything = asked.acl_getuser("default")
    assert everything is not None
    assert (everything.enabled, everything.without_password, everything.passwords) == (True, False, 1)
    assert (everything.commands, everything.keys) == ("+@all", "~*")
    exporter = asked.acl_getuser("exporter")
    assert exporter is not None
    assert "+info" in exporter.commands
    assert "-@all" in exporter.commands
    assert exporter.keys == ""
    assert asked.acl_getuser("nobody") is None


def test_a_user_without_password_is_seen(server: RedisPart) -> None:
    server.client().execute_command("ACL", "SETUSER", "open", "on", "nopass", "+ping")
    found = client(server).acl_getuser("open")
    assert found is not None
    assert found.without_password


def test_what_a_user_may_not_do_is_refused(with_users: RedisPart) -> None:
    exporter = client(with_users, "exporter-password", "exporter")
    assert exporter.info("server")["redis_version"]
    with pytest.raises(Refused, match="no permissions") as caught:
        exporter.round_trip()
    assert caught.value.code == "TB-0531"


@pytest.mark.parametrize(("password", "user"), [("wrong-password", None), (None, None), (PASSWORD, "nobody")])
def test_refused_login(redis_server: RedisPart, password: str | None, user: str | None) -> None:
    with pytest.raises(Refused, match="it refuses this login") as caught:
        client(redis_server, password, user).info()
    assert caught.value.code == "TB-0531"
    assert "wrong-password" not in caught.value.message


def test_a_round_trip_leaves_nothing(redis_server: RedisPart) -> None:
    found = client(redis_server).round_trip()
    assert (found.read_back, found.expired) == (True, True)
    assert 0 < found.seconds < 3
    assert list(redis_server.client().scan_iter(CHECK_PREFIX + "*")) == []


def test_a_full_server_says_so(server: RedisPart) -> None:
    server.client().config_set("maxmemory", 1)
    with pytest.raises(OpsError, match="Redis cannot keep a value: .*maxmemory") as caught:
        client(server).round_trip()
    assert caught.value.code == "TB-0532"


def test_what_the_command_itself_writes(redis_server: RedisPart) -> None:
    asked, seen = client(redis_server), redis_server.client()
    asked.desire_workers(4)
    asked.grant_drain(["worker-1", "worker-2"], 12.5)
    assert seen.get(WORKERS_DESIRED) == "4"
    assert seen.get(DRAIN_PREFIX + "worker-2") == "12.5"
    assert 0 < int(str(seen.ttl(DRAIN_PREFIX + "worker-1"))) <= 60


def test_a_hung_server_is_given_up_in_time(server: RedisPart) -> None:
    asked = client(server, timeout=0.5)
    asked.info()
    server.pause()
    try:
        began = time.monotonic()
        with pytest.raises(Unreachable) as caught:
            asked.ping_latencies()
        assert time.monotonic() - began < 1.5
        assert caught.value.code == "TB-0530"
    finally:
        server.resume()
    assert asked.info()["uptime_in_seconds"] >= 0
