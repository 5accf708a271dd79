"""Judges of stage 6 about Redis, at every level."""

from typing import Any

import pytest

from tests.prodcheck.stages.stores.kit import stack_of
from tradebot_ops.clients.redis import AclUser, RoundTrip, SlowCommand
from tradebot_ops.facts.stores.redis import Anonymous, Doctors
from tradebot_ops.facts.stores.storage import Folder
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.stages.stores.redis import doctors_content, has_room, keeps
from tradebot_ops.prodcheck.stages.stores.redis_access import guarded
from tradebot_ops.prodcheck.stages.stores.redis_persistence import persists, starts_again

SOON = (0.0001,) * 100
LATE = (0.0001,) * 98 + (0.02, 0.03)
INFO: dict[str, Any] = {
    "maxmemory": 1000, "used_memory": 500, "maxmemory_policy": "noeviction", "evicted_keys": 0,
    "mem_fragmentation_ratio": 4.5, "mem_fragmentation_bytes": 5_000_000,
    "aof_last_write_status": "ok", "aof_last_bgrewrite_status": "ok", "rdb_last_bgsave_status": "ok",
    "rdb_last_save_time": 1000, "rdb_changes_since_last_save": 5, "server_time_usec": 1100 * 1_000_000,
    "connected_clients": 10, "maxclients": 100, "rejected_connections": 0,
}  # fmt: skip
CONFIG = {"appendonly": "yes", "appendfsync": "everysec", "save": "", "maxmemory": str(512 * 1024**2),
          "maxmemory-policy": "noeviction", "dir": "/data"}  # fmt: skip
FILES = ("appendonly.aof.1.base.rdb", "appendonly.aof.1.incr.aof", "appendonly.aof.manifest")
#: An empty word after --save, as in compose.yaml.
COMMAND = "redis-server --dir /data --appendonly yes --appendfsync everysec --save  --maxmemory 512mb"
REFUSED = Anonymous(refused=True, answer="NOAUTH")
USER = AclUser("default", enabled=True, without_password=False, passwords=1, commands="+@all -@dangerous", keys="~*")


@pytest.mark.parametrize(
    ("trip", "pings", "level"),
    [
        (RoundTrip(True, True, 0.001), SOON, Level.PASS),
        (RoundTrip(True, True, 0.001), LATE, Level.WARN),
        (RoundTrip(False, True, 0.001), SOON, Level.FAIL),
        (RoundTrip(True, False, 0.001), SOON, Level.FAIL),
    ],
)
def test_keeps(trip: RoundTrip, pings: tuple[float, ...], level: Level) -> None:
    assert keeps(trip, pings).level is level


@pytest.mark.parametrize(
    ("changed", "level", "message"),
    [
        ({}, Level.PASS, "has room"),
        ({"used_memory": 800}, Level.WARN, "uses 80% of its limit"),
        ({"mem_fragmentation_bytes": 200 * 1024**2}, Level.WARN, "fragmented"),
        ({"used_memory": 950}, Level.FAIL, "uses 95% of its limit"),
        ({"maxmemory": 0}, Level.FAIL, "no memory limit"),
        ({"maxmemory_policy": "allkeys-lru"}, Level.FAIL, "drops keys when memory is short: allkeys-lru"),
        ({"evicted_keys": 3}, Level.FAIL, "dropped 3 keys"),
    ],
)
def test_room(changed: dict[str, Any], level: Level, message: str) -> None:
    verdict = has_room(INFO | changed)
    assert verdict.level is level
    assert message in verdict.message


@pytest.mark.parametrize(
    ("info", "config", "lasting", "level", "message"),
    [
        ({}, {}, True, Level.PASS, "writes what it holds"),
        ({}, {"save": "60 1"}, True, Level.PASS, "writes what it holds"),
        ({"server_time_usec": 9000 * 1_000_000}, {"save": "60 1"}, True, Level.WARN, "133 min old"),
        ({}, {"appendonly": "no", "save": "60 1"}, True, Level.FAIL, "log is off"),
        ({}, {"appendonly": "no"}, True, Level.FAIL, "keeps nothing"),
        ({"aof_last_write_status": "err"}, {}, True, Level.FAIL, "aof_last_write_status is err"),
        ({"rdb_last_bgsave_status": "err"}, {}, True, Level.FAIL, "rdb_last_bgsave_status is err"),
        ({}, {}, False, Level.FAIL, "/data goes with the replica"),
    ],
)
def test_persistence(info: dict[str, Any], config: dict[str, str], lasting: bool, level: Level, message: str) -> None:
    folder = Folder("redis", "/data", "/", lasting=lasting, free=60, size=100, command="df")
    verdict = persists(INFO | info, CONFIG | config, folder)
    assert verdict.level is level
    assert message in verdict.message


@pytest.mark.parametrize(
    ("config", "files", "level", "message"),
    [
        ({}, FILES, Level.PASS, "as it runs now"),
        ({"maxmemory": "1000"}, FILES, Level.FAIL, "1 setting in force are not those of the next start"),
        ({"appendonly": "no"}, FILES, Level.FAIL, "1 setting in force"),
        ({"save": "60 1"}, FILES, Level.FAIL, "1 setting in force"),
        ({}, (), Level.FAIL, "has no files"),
    ],
)
def test_next_start(config: dict[str, str], files: tuple[str, ...], level: Level, message: str) -> None:
    verdict = starts_again(stack_of(COMMAND), CONFIG | config, files)
    assert verdict.level is level
    assert message in verdict.message


def test_a_setting_that_nobody_described_is_compared_with_the_default_of_redis() -> None:
    """The command line is what the next start reads; what it leaves out begins as Redis has it."""
    bare = stack_of("redis-server")
    assert "appendonly is 'yes', next 'no'" in starts_again(bare, CONFIG, FILES).observed


@pytest.mark.parametrize(
    ("anonymous", "user", "info", "slow", "level", "message"),
    [
        (REFUSED, USER, {}, (), Level.PASS, "only who has a password"),
        (REFUSED, None, {}, (), Level.PASS, "only who has a password"),
        (REFUSED, AclUser("default", True, False, 1, "+@all", "~*"), {}, (), Level.WARN, "every command"),
        (REFUSED, USER, {"connected_clients": 90}, (), Level.WARN, "90 of 100 connections"),
        (REFUSED, USER, {}, (SlowCommand(0.0, 0.5, "KEYS *", "1"),), Level.WARN, "took 0.50 s"),
        (REFUSED, USER, {"rejected_connections": 2}, (), Level.FAIL, "turned away 2"),
        (REFUSED, AclUser("default", True, True, 0, "", ""), {}, (), Level.FAIL, "needs no password"),
        (Anonymous(refused=False, answer="PONG"), USER, {}, (), Level.FAIL, "without a password"),
    ],
)
def test_access(
    anonymous: Anonymous, user: AclUser | None, info: dict[str, Any], slow: tuple[SlowCommand, ...], level: Level,
    message: str,
) -> None:  # fmt: skip
    verdict = guarded(anonymous, user, INFO | info, slow)
    assert verdict.level is level
    assert message in verdict.message


CALM = "Dave, no latency spike was observed during the lifetime of this Redis instance."
WELL = "Hi Sam, I can't find any memory issue in your instance."


@pytest.mark.parametrize(
    ("latency", "memory", "threshold", "level", "message"),
    [
        (CALM, WELL, "100", Level.PASS, "nothing to complain"),
        (CALM, WELL, "0", Level.WARN, "does not remember"),
        ("Dave, I have observed latency spikes in this Redis instance.", WELL, "100", Level.WARN, "LATENCY DOCTOR"),
        (CALM, "Sam, I detected a few issues: High fragmentation", "100", Level.WARN, "MEMORY DOCTOR"),
    ],
)
def test_doctors(latency: str, memory: str, threshold: str, level: Level, message: str) -> None:
    verdict = doctors_content(Doctors(latency, memory), {"latency-monitor-threshold": threshold})
    assert verdict.level is level
    assert message in verdict.message
