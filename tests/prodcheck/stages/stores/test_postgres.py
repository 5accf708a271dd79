"""Judges of stage 6 about Postgres, at every level."""

from dataclasses import replace
from typing import Any

import pytest

from services.api.dependencies import POOL_SIZE
from services.worker.main import CONNECTIONS
from tests.prodcheck.stages.stores.kit import stack_of
from tradebot_ops.facts.stores.migrations import Schema
from tradebot_ops.facts.stores.postgres import Connections, Horizon, Insides, Integrity, Setting, Slot, Written
from tradebot_ops.facts.stores.postgres_access import Access, Rights, Role
from tradebot_ops.facts.stores.storage import Folder
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.stages.stores.postgres import POOLS, connections, healthy, keeps
from tradebot_ops.prodcheck.stages.stores.postgres_access import least_rights, nothing_planted
from tradebot_ops.prodcheck.stages.stores.postgres_safety import clears, safe, undamaged
from tradebot_ops.prodcheck.stages.stores.storage import lasting

SETTINGS = {
    "fsync": Setting("on"), "full_page_writes": Setting("on"), "synchronous_commit": Setting("on"),
    "data_checksums": Setting("on"), "password_encryption": Setting("scram-sha-256"),
    "shared_buffers": Setting("256MB"), "max_connections": Setting("100"),
}  # fmt: skip
SCRAM = Access("host", "all", "scram-sha-256", 3)
WELL = Insides(0.01, (), 0.995, 200_000, 1.0, 0, (), ())


@pytest.mark.parametrize(
    ("written", "level"),
    [
        (Written(True, 0.02), Level.PASS),
        (Written(True, 1.8), Level.WARN),
        (Written(False, 0.02), Level.FAIL),
    ],
)
def test_keeps(written: Written, level: Level) -> None:
    assert keeps(written).level is level


def test_pools_are_those_of_the_services() -> None:
    assert (POOLS["api"], POOLS["worker"]) == (POOL_SIZE, CONNECTIONS)


@pytest.mark.parametrize(
    ("found", "workers", "level", "message"),
    [
        (Connections(10, 97), 2, Level.PASS, "for everybody"),
        (Connections(75, 97), 2, Level.WARN, "77% of the connections"),
        (Connections(10, 97, ("worker, process 7, 400 s",)), 2, Level.WARN, "holds a transaction open: worker"),
        (Connections(95, 97), 2, Level.FAIL, "98% of the connections"),
        (Connections(10, 97), 30, Level.FAIL, "pools together are larger"),
    ],
)
def test_connections(found: Connections, workers: int, level: Level, message: str) -> None:
    verdict = connections(found, stack_of(workers=workers))
    assert verdict.level is level
    assert message in verdict.message


@pytest.mark.parametrize(
    ("settings", "access", "level", "message"),
    [
        ({}, SCRAM, Level.PASS, "lose nothing"),
        ({}, Access("local", "", "trust", 1), Level.PASS, "lose nothing"),
        ({}, Access("host", "127.0.0.1", "trust", 2), Level.WARN, "trusts whoever connects from this host"),
        ({"synchronous_commit": Setting("off")}, SCRAM, Level.WARN, "synchronous_commit off"),
        ({"password_encryption": Setting("md5")}, SCRAM, Level.WARN, "password_encryption md5"),
        ({"data_checksums": Setting("off")}, SCRAM, Level.WARN, "data_checksums off"),
        (
            {"max_connections": Setting("100", pending=True)},
            SCRAM,
            Level.WARN,
            "waiting for a restart: max_connections",
        ),
        ({"fsync": Setting("off")}, SCRAM, Level.FAIL, "fsync off"),
        ({"full_page_writes": Setting("off")}, SCRAM, Level.FAIL, "full_page_writes off"),
        ({}, Access("host", "all", "trust", 9), Level.FAIL, "line 9 (all)"),
        ({}, Access("host", "10.0.0.0", "password", 9), Level.FAIL, "line 9 (10.0.0.0)"),
    ],
)
def test_settings(settings: dict[str, Setting], access: Access, level: Level, message: str) -> None:
    verdict = safe(SETTINGS | settings, (access,))
    assert verdict.level is level
    assert message in verdict.message


@pytest.mark.parametrize(
    ("changed", "level", "message"),
    [
        ({}, Level.PASS, "good health"),
        ({"cache_hits": 0.5, "blocks_read": 10}, Level.PASS, "good health"),
        ({"cache_hits": None}, Level.PASS, "good health"),
        ({"wraparound": 0.6}, Level.WARN, "60% of the transaction numbers"),
        ({"dead": (("job", 0.5, 20_000), ("candle", 0.1, 20_000))}, Level.WARN, "dead rows: job (50%)."),
        ({"cache_hits": 0.5}, Level.WARN, "Only 50.0% of the reads"),
        ({"longest_query_s": 400.0}, Level.WARN, "runs for 6.67 min"),
        ({"blocked": 2}, Level.WARN, "2 sessions wait"),
        ({"unused_indexes": ("a", "b", "c", "d")}, Level.WARN, "a, b, c and 1 more"),
        ({"wraparound": 0.8}, Level.FAIL, "80% of the transaction numbers"),
        ({"invalid_indexes": ("job_newest",)}, Level.FAIL, "Invalid indexes: job_newest"),
    ],
)
def test_health(changed: dict[str, Any], level: Level, message: str) -> None:
    verdict = healthy(replace(WELL, **changed))
    assert verdict.level is level
    assert message in verdict.message


MONITOR = Role("exporter", superuser=False, granted=("pg_monitor",))
APP = Role("tradebot", superuser=False)
NEWEST = Schema("0002", "0002")


@pytest.mark.parametrize(
    ("roles", "schema", "level", "message"),
    [
        ((APP, MONITOR), NEWEST, Level.PASS, "no more than they need"),
        ((APP,), NEWEST, Level.PASS, "no more than they need"),
        ((replace(APP, owns=("other",)), MONITOR), NEWEST, Level.WARN, "other schemas: other"),
        ((replace(APP, superuser=True), MONITOR), NEWEST, Level.FAIL, "log in as a superuser: tradebot"),
        ((APP, replace(MONITOR, superuser=True)), NEWEST, Level.FAIL, "may do more than look: superuser"),
        ((APP, replace(MONITOR, granted=("pg_monitor", "pg_write_all_data"))), NEWEST, Level.FAIL, "pg_write_all_data"),
        ((APP, MONITOR), Schema("0001", "0002"), Level.FAIL, "revision 0001, the services expect 0002"),
        ((APP, MONITOR), Schema("", "0002"), Level.FAIL, "revision none"),
    ],
)
def test_accounts(roles: tuple[Role, ...], schema: Schema, level: Level, message: str) -> None:
    verdict = least_rights(roles, "tradebot", schema)
    assert verdict.level is level
    assert message in verdict.message


SPARE = Connections(10, 97)
GB = 1024**3


@pytest.mark.parametrize(
    ("horizon", "connections", "level", "message"),
    [
        (Horizon(0.0, (), ()), SPARE, Level.PASS, "Nothing keeps"),
        (Horizon(4000.0, (), ()), SPARE, Level.WARN, "open for 66.7 min"),
        (Horizon(0.0, (("job-7", 30.0),), ()), SPARE, Level.WARN, "job-7"),
        (Horizon(0.0, (), (Slot("old", 0),)), SPARE, Level.WARN, "slots: old"),
        (Horizon(0.0, (), ()), Connections(10, 97, ("worker",)), Level.WARN, "more than five minutes"),
        (Horizon(90_000.0, (), ()), SPARE, Level.FAIL, "open for 25 h"),
        (Horizon(0.0, (("job-7", 4000.0),), ()), SPARE, Level.FAIL, "job-7"),
        (Horizon(0.0, (), (Slot("old", 11 * GB),)), SPARE, Level.FAIL, "slots: old"),
    ],
)
def test_clearing_away(horizon: Horizon, connections: Connections, level: Level, message: str) -> None:
    verdict = clears(horizon, connections)
    assert verdict.level is level
    assert message in verdict.message


@pytest.mark.parametrize(
    ("integrity", "level", "message"),
    [
        (Integrity(True, 0, checked=20), Level.PASS, "Nothing in the database"),
        (Integrity(True, 0, why="the extension amcheck is not installed"), Level.WARN, "amcheck is not installed"),
        (Integrity(True, 0, checked=20, skipped=2), Level.WARN, "2 large indexes"),
        (Integrity(True, 3, checked=20), Level.FAIL, "3 blocks"),
        (Integrity(False, 0, checked=20), Level.FAIL, "checksums are off"),
        (Integrity(True, 0, damage="item order invariant violated."), Level.FAIL, "item order invariant"),
    ],
)
def test_damage(integrity: Integrity, level: Level, message: str) -> None:
    verdict = undamaged(integrity)
    assert verdict.level is level
    assert message in verdict.message


SAFE = Rights(False, (), (("series_id_seq", 0.1),), ())


@pytest.mark.parametrize(
    ("changed", "level", "message"),
    [
        ({}, Level.PASS, "Nobody can plant"),
        ({"sequences": ()}, Level.PASS, "Nobody can plant"),
        ({"sequences": (("series_id_seq", 0.75),)}, Level.WARN, "75% used up"),
        ({"unsafe_functions": ("sudo()",)}, Level.WARN, "sudo()"),
        ({"sequences": (("series_id_seq", 0.95),)}, Level.FAIL, "95% used up"),
        ({"public_may_create": True}, Level.FAIL, "Everybody may create"),
        ({"superusers": ("mallory",)}, Level.FAIL, "mallory"),
    ],
)
def test_rights(changed: dict[str, Any], level: Level, message: str) -> None:
    verdict = nothing_planted(replace(SAFE, **changed))
    assert verdict.level is level
    assert message in verdict.message


DISK = Folder("postgres", "/data", "/data", lasting=True, free=60, size=100, command="df -Pk /data")
OTHER = replace(DISK, service="redis")
COMMANDS = ("redis-server --maxmemory 512mb", "postgres -c shared_buffers=262144kB -c max_connections=100")


@pytest.mark.parametrize(
    ("disk", "maxmemory", "settings", "level", "message"),
    [
        (DISK, "536870912", {}, Level.PASS, "with room to grow"),
        (replace(DISK, free=15), "536870912", {}, Level.WARN, "Only 15% of the disk"),
        (replace(DISK, free=5), "536870912", {}, Level.FAIL, "Only 5% of the disk"),
        (replace(DISK, lasting=False), "536870912", {}, Level.FAIL, "data of postgres goes with the replica"),
        (DISK, "1000", {}, Level.FAIL, "not in force"),
        (DISK, "536870912", {"shared_buffers": Setting("128MB")}, Level.FAIL, "not in force"),
    ],
)
def test_lasting(disk: Folder, maxmemory: str, settings: dict[str, Setting], level: Level, message: str) -> None:
    verdict = lasting(OTHER, disk, stack_of(*COMMANDS), {"maxmemory": maxmemory}, SETTINGS | settings)
    assert verdict.level is level
    assert message in verdict.message
