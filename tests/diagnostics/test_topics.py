"""What each topic says of values on either side of its limits."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tradebot_ops.clients.api import Answer
from tradebot_ops.clients.prometheus import PendingOrFiring, Target
from tradebot_ops.clients.redis import Size, Sizes
from tradebot_ops.diagnostics.fingerprints import Group, Grouped, Key
from tradebot_ops.diagnostics.topic import View
from tradebot_ops.diagnostics.topics import (
    api,
    clock,
    containers,
    disk,
    errors,
    memory,
    monitoring,
    net,
    performance,
    queue,
    trading,
    workers,
)
from tradebot_ops.diagnostics.topics.stores import data, postgres, redis
from tradebot_ops.engines.base import Event, Replica, State
from tradebot_ops.engines.inspection import EngineInfo
from tradebot_ops.facts.access.connections import Connection
from tradebot_ops.facts.host import Clock, Disk, Load, Pressure
from tradebot_ops.facts.metrics.monitoring import Answer as Ready
from tradebot_ops.facts.project.bots import Trading
from tradebot_ops.facts.replicas.condition import Condition
from tradebot_ops.facts.replicas.errors import Recorded
from tradebot_ops.facts.requests import Served
from tradebot_ops.facts.stores.candles import Series
from tradebot_ops.facts.stores.migrations import Schema
from tradebot_ops.facts.stores.postgres import Connections, Horizon, Insides, Setting, Slot
from tradebot_ops.facts.stores.postgres_load import Io, Statement, Statements, Waits
from tradebot_ops.facts.stores.redis import Doctors
from tradebot_ops.facts.stores.redis_load import Command
from tradebot_ops.facts.work.halt import Halt
from tradebot_ops.facts.work.queue import DeadLetters, Lost, Queue
from tradebot_ops.facts.work.worker_load import Utilisation
from tradebot_ops.facts.work.workers import Beat, Worker
from tradebot_ops.model import Level
from tradebot_ops.stack.model import Service, Stack

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
UP = Replica("api", 1, "id", "demo-api-1", State.RUNNING, started_at=NOW)
STACK = Stack("demo", Path(), (), {"api": Service("api", "i", ())})
READY = Ready("prometheus", True, "ready")
REDIS: dict[str, Any] = {
    "used_memory": 10, "maxmemory": 100, "maxmemory_policy": "noeviction", "evicted_keys": 0, "aof_enabled": 1,
    "mem_fragmentation_ratio": 1.1, "connected_clients": 3, "maxclients": 100,
}  # fmt: skip
INFO = EngineInfo("local", "1", "Debian", 8 * 1024**3, 2, "/var/lib", on_this_host=True)
WELL = Insides(0.01, (), 0.99, 0, 1.0, 0, (), ())


def said(view: View) -> str:
    """All problems, with the first letter of their level."""
    return " ".join(f"{problem.level.name[0]}: {problem.message}" for problem in view.problems)


def condition(word: str, **fields: Any) -> Condition:
    return Condition(replace(UP, **fields), word, "exit code 1")


@pytest.mark.parametrize(
    ("found", "absent", "expected"),
    [
        ((condition("ready"),), {}, ""),
        ((condition("unhealthy"),), {}, "F: api-1 is unhealthy: exit code 1."),
        ((condition("a word of tomorrow"),), {}, "F: api-1 is a word of tomorrow: exit code 1."),
        ((condition("ready"), condition("orphan", service="old")), {}, "W: old-1 is orphan: exit code 1."),
        ((), {}, "F: api lacks 1 of its replicas."),
        ((), {"api": "There is no image."}, ""),
    ],
)
def test_replicas(found: tuple[Condition, ...], absent: dict[str, str], expected: str) -> None:
    assert said(containers.replicas(found, STACK, absent, NOW)) == expected


def test_how_long_replicas_are_up_is_told_of_the_one_started_last() -> None:
    hour, minute = NOW - timedelta(hours=1), NOW - timedelta(minutes=2)
    found = (
        condition("ready", started_at=hour),
        condition("ready", number=2, started_at=minute),
        condition("unhealthy", service="redis", started_at=hour),
        condition("stopped", service="worker", state=State.EXITED, started_at=hour),
        condition("done", service="migrate", started_at=None),
    )
    table = containers.replicas(found, STACK, {}, NOW).table
    assert table is not None
    assert [row[:3] for row in table.rows] == [
        ("redis-1", "unhealthy", "60 min"),
        ("worker-1", "stopped", ""),
        ("api", "2 well", "2 min"),
        ("migrate", "1 well", ""),
    ]


@pytest.mark.parametrize(
    ("count", "minutes", "expected"),
    [
        (50, 1, "W: api logged 50 times within an hour: it broke, last 60 s ago."),
        (50, 30, ""),
        (3, 1, ""),
    ],
)
def test_a_storm_of_errors_is_a_problem_and_a_few_are_not(count: int, minutes: int, expected: str) -> None:
    last = NOW - timedelta(minutes=minutes)
    view = errors.logged(Grouped((Group(Key("api", "error", "it broke"), count, last, last),), 100), NOW)
    assert said(view) == expected
    assert view.table is not None


def test_errors_on_record_are_shown() -> None:
    counted = Recorded("f" * 16, "KeyError", "x", "jobs.py:submit", 900, NOW, NOW)
    view = errors.recorded((counted,), (), NOW)
    assert said(view) == ""
    assert view.table is not None
    assert view.table.rows == (("f" * 12, "900 ×", "api", "jobs.py:submit KeyError", "0 s"),)
    assert errors.recorded((), (), NOW) == View()


def test_only_crashes_of_the_last_hour_count() -> None:
    died = Event(NOW - timedelta(minutes=5), "worker", 1, "die", exit_code=1)
    assert said(containers.crashes((died,) * 2, NOW)) == ""
    assert said(containers.crashes((died,) * 3, NOW)) == "F: worker died 3 times within an hour."
    assert said(containers.crashes((replace(died, exit_code=143),) * 3, NOW)) == "", "it was asked to stop"
    assert said(containers.crashes((replace(died, at=NOW - timedelta(hours=2)),) * 3, NOW)) == ""
    assert "Killed for memory" in said(containers.crashes((replace(died, action="oom"),), NOW))
    assert said(containers.out_of_memory({"worker-1": 0}, ())) == ""
    assert (
        said(containers.out_of_memory({"worker-1": 2}, ())) == "W: The kernel killed processes for memory: worker-1 2×."
    )


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, ""),
        ({"used_memory": 80}, "W: Redis uses 80% of its memory limit."),
        ({"used_memory": 95}, "F: Redis uses 95% of its memory limit."),
        ({"maxmemory": 0}, "F: Redis has no memory limit."),
        ({"maxmemory_policy": "allkeys-lru"}, "F: Redis drops keys when memory is short: allkeys-lru."),
        ({"evicted_keys": 7}, "F: Redis dropped 7 keys since it started."),
    ],
)
def test_memory_of_redis(changed: dict[str, Any], expected: str) -> None:
    assert said(redis.memory(REDIS | changed)) == expected


def test_other_faults_of_redis() -> None:
    assert said(redis.persistence(REDIS)) == ""
    assert "cannot write: last append ended with err" in said(
        redis.persistence(REDIS | {"aof_last_write_status": "err"})
    )
    assert "does not write" in said(redis.persistence(REDIS | {"aof_enabled": 0}))
    assert said(redis.clients(REDIS)) == ""
    assert said(redis.clients(REDIS | {"rejected_connections": 2})) == "F: Redis turned 2 clients away."
    assert said(redis.latency((0.001,) * 100)) == ""
    assert "slowly" in said(redis.latency((0.02,) * 100))


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (postgres.connections(Connections(10, 100)), ""),
        (postgres.connections(Connections(80, 100)), "W: 80% of the connections to Postgres are taken."),
        (postgres.connections(Connections(95, 100)), "F: 95% of the connections to Postgres are taken."),
        (postgres.connections(Connections(1, 9, ("worker-1",))),
         "W: Connections hold a transaction open and do nothing: worker-1."),
        (postgres.work(WELL), ""),
        (postgres.work(replace(WELL, blocked=2)), "F: 2 sessions wait for another one's lock."),
        (postgres.work(replace(WELL, longest_query_s=400)), "W: A query runs for 6.67 min."),
        (postgres.work(replace(WELL, invalid_indexes=("a",))), "F: Invalid indexes: a."),
        (postgres.clearing(Horizon(0, (), ())), ""),
        (postgres.clearing(Horizon(0, (), (Slot("s", 2048),))), "W: Nobody reads replication slots: s holds 2 KiB."),
        (postgres.safety({"fsync": Setting("on")}), ""),
        (postgres.safety({"fsync": Setting("off")}), "F: Postgres may lose what it confirmed: fsync off."),
        (postgres.schema(Schema("0002", "0002")), ""),
        (postgres.schema(Schema("", "0002")), "F: The schema is at revision none, the services expect 0002."),
    ],
)  # fmt: skip
def test_postgres(view: View, expected: str) -> None:
    assert said(view) == expected


def test_what_redis_and_postgres_spend_their_time_on() -> None:
    assert said(redis.commands((Command("GET", 100.0, 0.2),))) == ""
    assert said(redis.commands((Command("KEYS", 2.0, 0.9),))) == "W: Redis is busy 90% of the time: KEYS 2/s."
    sampled = redis.largest(Sizes((Size("k" * 99, "list", 2048),), 5000, complete=False)).table
    assert sampled is not None
    assert (sampled.columns[0], sampled.rows) == (
        "largest of 5000 keys sampled", (("k" * 60, "list", "2 KiB"),),
    )  # fmt: skip
    slow = postgres.statements(Statements(recorded=True, found=(Statement("SELECT $1", 4, 2.0),))).table
    assert slow is not None
    assert slow.rows == (("2 s", "4", "500 ms", "SELECT $1"),)
    assert postgres.waits(Waits((("processor", 1.5),))).values == (("sessions at work", "processor 1.5"),)


def test_workers_are_heard_and_known() -> None:
    one = Worker("worker-1", 1, ("w1",))
    assert said(workers.heartbeats([one], [Beat("w1", "idle", 0.5)])) == ""
    assert said(workers.heartbeats([one], [Beat("w1", "idle", 9)])) == "F: worker-1 was last heard 9 s ago."
    assert said(workers.heartbeats([one], [])) == "F: worker-1 has no heartbeat."
    assert said(workers.heartbeats([], [])) == "F: No worker runs."
    ghost = workers.heartbeats([one], [Beat("w1", "idle", 0.5), Beat("w9", "idle", 0.5)])
    assert said(ghost) == "W: Heartbeats of workers that nobody runs: w9."
    assert said(workers.lost_jobs([])) == ""
    assert "nobody took them over" in said(workers.lost_jobs([Lost("a", "backtest", "w1", 60)]))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (Queue(0, 0, None, None), ""),
        (Queue(80, 80, 5, 1), "W: 80 jobs wait."),
        (Queue(100, 100, 5, 1), "F: 100 jobs wait."),
        (Queue(3, 3, 60, 1), ""),
        (Queue(3, 3, 60, 90), "F: 3 jobs are due and no worker takes them; last: 90 s ago."),
        (Queue(3, 3, 60, None), "F: 3 jobs are due and no worker takes them; last: never."),
        (Queue(3, 0, 60, 90), ""),
    ],
)
def test_queue(found: Queue, expected: str) -> None:
    assert said(queue.waiting(found)) == expected


def test_dead_letters() -> None:
    assert said(queue.dead_letters(DeadLetters(0, 0, 0, None))) == ""
    assert said(queue.dead_letters(DeadLetters(3, 0, 0, 9))).startswith("W: 3 jobs were given up")
    assert said(queue.dead_letters(DeadLetters(30, 30, 30, 9))).startswith("F: 30 jobs were given up")


def test_api() -> None:
    assert said(api.answers((Answer(200, "", 0.1),))) == ""
    assert said(api.answers((Answer(200, "", 0.1), Answer(503, "", 0.1)))) == (
        "F: 1 of 2 questions to /health ended with status 503."
    )
    assert said(api.served(Served(0.1, 0.0, 50, "here"))) == ""
    assert said(api.served(Served(0.8, 0.02, 50, "here"))) == (
        "W: 5 of 100 requests take longer than 800 ms. W: 2.0% of the requests fail."
    )
    assert said(api.served(Served(2.0, 0.1, 50, "here"))).startswith("F: 5 of 100 requests take longer than 2 s. F:")


def target(health: str) -> Target:
    return Target("api", "a:1", "http://a:1", health, "refused", None, 0.1)


def alert(name: str, severity: str = "critical") -> PendingOrFiring:
    return PendingOrFiring(name, "firing", {"severity": severity}, {"summary": "It broke."}, NOW, 1.0)


def test_monitoring() -> None:
    assert said(monitoring.services((READY, Ready("grafana", False, "no image", absent=True)))) == ""
    assert said(monitoring.services((replace(READY, ok=False),))) == "F: prometheus does not answer: ready."
    assert said(monitoring.targets((target("up"),), READY)) == ""
    assert said(monitoring.targets((target("down"),), READY)) == "F: api at a:1 is down: refused."
    assert said(monitoring.targets((target("unknown"),), READY)) == "W: 1 target was not scraped yet."
    assert said(monitoring.targets((), READY)) == "F: Prometheus has no target at all."
    assert said(monitoring.alerts((alert("Watchdog", "none"),), NOW, READY)) == ""
    assert said(monitoring.alerts((), NOW, READY)) == "F: Watchdog does not fire: alerts may not arrive."
    firing = monitoring.alerts((alert("Watchdog", "none"), alert("B", "warning"), alert("A")), NOW, READY)
    assert said(firing) == "F: A fires: It broke. W: B fires: It broke."


def test_disk_memory_clock_and_data() -> None:
    assert said(disk.data_root(Disk("/", 100, 50, 100, 50))) == ""
    assert said(disk.data_root(Disk("/", 100, 15, 100, 50))) == "W: / has 15% of its space left."
    assert said(disk.data_root(Disk("/", 100, 5, 100, 1))) == "F: / has 5% of its space left. F: / has few inodes left."
    assert said(disk.course(None)) == ""
    assert said(disk.course(5)) == "W: The disk is full in 5 days at this rate."
    assert said(memory.pressure(Pressure({"cpu": 0.1}, {"redis-1": 0}))) == ""
    assert said(memory.pressure(Pressure({"cpu": 0.7}, {}))) == "F: Work waits for cpu 70% of the time."
    assert "swapped out" in said(memory.pressure(Pressure({"cpu": 0.01}, {"redis-1": 5})))
    assert said(clock.clock(Clock(False, None, 0.0, ""))) == ""
    assert said(clock.clock(Clock(True, 0.0, 3.0, ""))) == "F: The clock is off by 3 s."
    assert said(data.newest((Series("A", "1d", NOW - timedelta(days=900), 0),), NOW)) == ""
    assert (
        said(data.newest((Series("A", "1d", NOW + timedelta(days=1), 0),), NOW))
        == "F: Candles lie in the future: A 1d."
    )


def test_connections_and_the_scarcest_resource() -> None:
    assert said(net.inside((Connection("api-1", "redis:6379", ""),))) == ""
    assert (
        said(net.inside((Connection("api-1", "redis:6379", "refused"),)))
        == "F: api-1 does not reach redis:6379: refused."
    )
    assert said(performance.workers(Utilisation(0.5, 1.0, 2, 900))) == ""
    assert said(performance.workers(Utilisation(0.97, 2.0, 2, 900))) == "W: The workers are busy 97% of the time."
    assert performance.host_load(Load(3, 1.5, 2 * 1024**3, 0, 0), INFO).values == (
        ("run queue", "3 for 2 processors, 1.5 on average of 5 minutes"),
        ("available memory", "2.0 GB of 8.0 GB"),
        ("swap in use", "none"),
    )
    assert performance.host_load(Load(3, 1.5, 2 * 1024**3, 1024**2, 1024**3), INFO).values[2][1] == "1 MB of 1.0 GB"
    assert performance.sessions(Waits(())).values == (("active sessions", "0.0 on average"),)
    assert performance.sessions(Waits((("Lock: relation", 2.5), ("processor", 0.5)))).values == (
        ("active sessions", "3.0 on average, most: Lock: relation"),
    )
    assert performance.database_disk(Io(5, 7, 2, 1, None)).values == (
        ("disk of Postgres",
         "5 reads, 7 writes (1 by sessions), 2 extensions; time not measured (track_io_timing is off)"),
    )  # fmt: skip
    assert performance.database_disk(Io(5, 7, 2, 1, 1.5)).values[0][1].endswith("time 1.5 s")
    assert performance.queue_store_commands((Command("GET", 5.0, 0.25),)).values == (
        ("Redis is busy", "25.0% of the time"),
    )
    content = Doctors("No latency spike was observed.", "Hi Sam, I can't find any memory issue in your instance.")
    assert (performance.queue_store_doctors(content).values, said(performance.queue_store_doctors(content))) == (
        (("advice of Redis", "none"),), "",
    )  # fmt: skip
    advice = Doctors("I have advice:\n- fork takes long.", content.memory)
    assert said(performance.queue_store_doctors(advice)) == (
        "W: Redis has advice about its latency: I have advice: - fork takes long."
    )
    assert said(performance.host_resources(Pressure({"cpu": 0.05, "io": 0.4}, {}))) == (
        "W: The host is short of io: work waits 40% of the time."
    )


def test_levels_are_those_of_findings() -> None:
    assert {problem.level for problem in postgres.connections(Connections(95, 100)).problems} == {Level.FAIL}


WATCHED = Trading("freqtrade", "prod", "live", True, 2, 0, "", (), (), 0.0, 100.0, 300.0)


def test_what_is_held_is_shown_and_never_guessed() -> None:
    assert dict(trading.bot(WATCHED).values) == {
        "bot": "freqtrade, with money (live)",
        "opens positions": "yes",
        "open positions": "2, read just now",
        "resting orders": "0, read just now",
        "newest candle": "100 s ago",
    }
    shown = dict(trading.bot(replace(WATCHED, mode="paper", opening=False, orders=None, candle_age=None)).values)
    assert shown["bot"] == "freqtrade, on paper (paper)"
    assert (shown["opens positions"], shown["resting orders"], shown["newest candle"]) == ("no", *["not known"] * 2)


@pytest.mark.parametrize(
    ("change", "level", "words"),
    [
        ({}, None, ""),
        ({"second_instance": "Two answer in turn."}, Level.FAIL, "Two answer in turn."),
        ({"foreign": ("ETH",)}, Level.WARN, "The account of freqtrade holds what is not its own: ETH."),
        (
            {"not_compared": ("http://10.0.0.7",)},
            Level.WARN,
            "Whether the bot at http://10.0.0.7 trades on the same account is not known: it was not read.",
        ),
        ({"env": "staging"}, Level.FAIL, "freqtrade trades with money, and this stack is for staging."),
        ({"env": "staging", "mode": "paper"}, None, ""),
        ({"clock_offset": -2.5}, Level.WARN, "The clock of freqtrade is off by 2.5 s."),
        ({"candle_age": 601.0}, Level.WARN, "The newest candle of freqtrade ended 10 min ago."),
        ({"candle_age": 601.0, "candle": 3600.0}, None, ""),
    ],
)
def test_a_bot_that_trades_otherwise_than_meant(change: dict[str, Any], level: Level | None, words: str) -> None:
    problems = trading.bot(replace(WATCHED, **change)).problems
    assert [(each.level, each.message) for each in problems] == ([(level, words)] if level else [])


def test_a_halt_is_shown_with_its_age_and_the_queue_says_why() -> None:
    assert trading.halted(None).values == (("stack", "takes jobs"),)
    found = Halt("ana", "fills look wrong", 90.0)
    assert trading.halted(found).values == (("stack", "halted for 90 s"),)
    assert trading.halted(found).problems == ()
    (problem,) = queue.halted(found).problems
    assert (problem.level, problem.hint) == (Level.WARN, "tradebot resume")
    assert problem.message == "ana halted the stack 90 s ago, so that no job starts: fills look wrong."
