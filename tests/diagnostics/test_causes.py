"""Every cause on a fixture of its own fault, with noise beside it, with less evidence, and with none in reach."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tradebot_ops.diagnostics import causes
from tradebot_ops.diagnostics.catalogue import known_causes
from tradebot_ops.diagnostics.cause import Cause, Grade, sign
from tradebot_ops.diagnostics.explanation import Explanation, judged, lines
from tradebot_ops.diagnostics.symptoms import ASKS
from tradebot_ops.engines.base import Event, Replica, State
from tradebot_ops.facts import host, moment, requests
from tradebot_ops.facts.fact import Fact, Unknown
from tradebot_ops.facts.project import stack
from tradebot_ops.facts.replicas import services
from tradebot_ops.facts.replicas.condition import Condition
from tradebot_ops.facts.stores import postgres, redis
from tradebot_ops.facts.work import queue, worker_load, workers
from tradebot_ops.stack.model import Service, Stack

Values = dict[Fact[Any], Any]
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
NAMES = ("redis", "postgres", "api", "worker", "prometheus", "alertmanager", "redis-exporter")
CALM = {"cpu": 0.01, "memory": 0.0, "io": 0.01}
INFO: dict[str, Any] = {
    "used_memory": 10, "maxmemory": 100, "maxmemory_policy": "noeviction", "evicted_keys": 0, "aof_enabled": 1,
    "aof_last_write_status": "ok", "rdb_last_bgsave_status": "ok",
}  # fmt: skip
UNKNOWN = Unknown("It did not answer.")


def running(service: str, word: str = "ready") -> Condition:
    return Condition(Replica(service, 1, service, f"demo-{service}-1", State.RUNNING), word, "no answer within 1 s")


def stopped(service: str) -> Condition:
    return Condition(Replica(service, 1, service, f"demo-{service}-1", State.EXITED), "stopped", "exit code 0")


def conditions(*others: Condition) -> tuple[Condition, ...]:
    """All are well but these."""
    named = {each.replica.service for each in others}
    return (*others, *(running(name) for name in NAMES if name not in named))


HEALTHY: Values = {
    services.now: conditions(),
    services.events: (),
    stack.description: Stack("demo", Path(), (), {name: Service(name, "i", ()) for name in NAMES}),
    stack.absent: {},
    moment.now: NOW,
    redis.info: INFO,
    postgres.connections: postgres.Connections(10, 100),
    postgres.insides: postgres.Insides(0.0, (), 0.99, 0, 1.0, 0, (), ()),
    queue.queue: queue.Queue(0, 0, None, 5.0),
    queue.dead_letters: queue.DeadLetters(0, 0, 0, None),
    workers.replicas: (workers.Worker("worker-1", 1, ("w1",)),),
    workers.beats: (workers.Beat("w1", "idle", 0.5),),
    worker_load.utilisation: worker_load.Utilisation(0.3, 0.3, 1, 900),
    requests.lately: requests.Served(0.05, 0.0, 100, "Prometheus"),
    host.pressure: host.Pressure(CALM, {}),
    host.disk: host.Disk("/", 100, 50, 100, 50),
    host.clock: host.Clock(True, 0.0, 0.0, ""),
}
STUCK = queue.Queue(5, 5, 90.0, 90.0)
LONG = queue.Queue(90, 90, 60.0, 1.0)
SILENT = (workers.Beat("w1", "busy", 60.0),)
DIED = tuple(Event(NOW - timedelta(seconds=ago), "api", 1, "die", exit_code=1) for ago in (50, 30, 5))
OOM = (Event(NOW - timedelta(minutes=5), "worker", 1, "oom"),)
BUSY = worker_load.Utilisation(0.97, 1.0, 1, 900)
SLOW = requests.Served(2.5, 0.0, 100, "Prometheus")

#: The fault, and with it what else it brings about.
FAULTS: Mapping[str, Values] = {
    "redis-down": {services.now: conditions(stopped("redis"), running("api", "unhealthy")), redis.info: UNKNOWN,
                   workers.beats: UNKNOWN},
    "nothing-runs": {services.now: tuple(stopped(name) for name in NAMES), redis.info: UNKNOWN,
                     postgres.insides: UNKNOWN, queue.queue: UNKNOWN, workers.beats: UNKNOWN},
    "redis-hung": {services.now: conditions(running("redis", "unhealthy"), running("api", "unhealthy")),
                   redis.info: UNKNOWN, workers.beats: UNKNOWN},
    "redis-full": {redis.info: INFO | {"used_memory": 95}},
    "redis-evicting": {redis.info: INFO | {"maxmemory_policy": "allkeys-lru", "evicted_keys": 4}},
    "redis-append-fails": {redis.info: INFO | {"aof_last_write_status": "err"}},
    "redis-snapshot-fails": {redis.info: INFO | {"rdb_last_bgsave_status": "err"}},
    "redis-keeps-nothing": {redis.info: INFO | {"aof_enabled": 0}},
    "postgres-down": {services.now: conditions(stopped("postgres"), running("api", "unhealthy")),
                      postgres.insides: UNKNOWN, postgres.connections: UNKNOWN, queue.queue: UNKNOWN},
    "postgres-hung": {services.now: conditions(running("postgres", "unhealthy"), running("api", "unhealthy")),
                      postgres.insides: UNKNOWN, postgres.connections: UNKNOWN, queue.queue: UNKNOWN},
    "postgres-connections-taken": {postgres.connections: postgres.Connections(97, 100)},
    "postgres-locked": {postgres.insides: postgres.Insides(0.0, (), 0.99, 0, 90.0, 3, (), ()), requests.lately: SLOW},
    "postgres-disk-slow": {host.pressure: host.Pressure(CALM | {"io": 0.7}, {}), requests.lately: SLOW},
    "disk-full": {host.disk: host.Disk("/", 100, 1, 100, 50), redis.info: INFO | {"aof_last_write_status": "err"}},
    "workers-gone": {services.now: conditions(stopped("worker")), workers.replicas: (), workers.beats: (),
                     queue.queue: STUCK},
    "workers-idle": {queue.queue: STUCK},
    "workers-drained": {queue.queue: STUCK, workers.beats: (workers.Beat("w1", "drained", 0.5),)},
    "worker-hung": {services.now: conditions(running("worker", "unhealthy")), workers.beats: SILENT,
                    queue.queue: STUCK},
    "worker-killed-for-memory": {services.events: OOM, queue.dead_letters: queue.DeadLetters(3, 3, 3, 9.0)},
    "job-poisoned": {queue.dead_letters: queue.DeadLetters(5, 5, 5, 9.0)},
    "crash-loop": {services.events: DIED},
    "more-work": {queue.queue: LONG, worker_load.utilisation: BUSY},
    "fewer-workers": {
        queue.queue: LONG,
        stack.description: Stack(
            "demo", Path(), (), {name: Service(name, "i", (), replicas=1 + (name == "worker")) for name in NAMES}
        ),
    },
    "api-down": {services.now: conditions(stopped("api"))},
    "api-hung": {services.now: conditions(running("api", "unhealthy"))},
    "api-overloaded": {requests.lately: SLOW},
    "prometheus-blind": {services.now: conditions(stopped("prometheus")), worker_load.utilisation: UNKNOWN},
    "prometheus-hung": {services.now: conditions(running("prometheus", "unhealthy")),
                        worker_load.utilisation: UNKNOWN},
    "alertmanager-deaf": {services.now: conditions(stopped("alertmanager"))},
    "alertmanager-hung": {services.now: conditions(running("alertmanager", "unhealthy"))},
    "clock-off": {host.clock: host.Clock(True, 3.0, 0.0, "")},
    "host-short-of-memory": {host.pressure: host.Pressure(CALM | {"memory": 0.8}, {})},
    "host-short-of-processors": {host.pressure: host.Pressure(CALM | {"cpu": 0.9}, {}), requests.lately: SLOW},
}  # fmt: skip


def why(fault: Values) -> Explanation:
    return judged({**HEALTHY, **fault}, known_causes())


def first(found: Explanation) -> list[str]:
    return [each.cause.name for each in found.best]


def test_every_cause_has_its_fault_here() -> None:
    assert {cause.name for cause in known_causes()} == set(FAULTS)
    assert len(FAULTS) >= 20


def test_a_healthy_stack_has_none() -> None:
    found = why({})
    assert (found.symptoms, first(found)) == ((), [])
    assert lines(found) == ("No cause is needed: nothing is wrong.",)


@pytest.mark.parametrize("name", FAULTS)
def test_the_true_cause_comes_first_and_supported(name: str) -> None:
    found = why(FAULTS[name])
    assert first(found) == [name]
    assert found.best[0].grade is Grade.SUPPORTED
    assert found.best[0].evidence


@pytest.mark.parametrize("name", FAULTS)
def test_noise_is_not_blamed(name: str) -> None:
    """An exporter that was killed and an API that was started again just before."""
    fault = FAULTS[name]
    now: tuple[Condition, ...] = {**HEALTHY, **fault}[services.now]
    restarted = Event(NOW - timedelta(minutes=2), "api", 1, "start")
    noisy = {
        **fault,
        services.now: (*(each for each in now if each.replica.service != "redis-exporter"), stopped("redis-exporter")),
        services.events: (*fault.get(services.events, ()), restarted),
    }
    assert first(why(noisy)) == [name]


@pytest.mark.parametrize("name", FAULTS)
def test_without_its_evidence_it_is_not_named(name: str) -> None:
    """What nobody can look at is evidence neither for nor against."""
    (cause,) = [each for each in known_causes() if each.name == name]
    blind = {**FAULTS[name], **{fact: UNKNOWN for each in cause.signs for fact in each.asks if fact is not moment.now}}
    found = why(blind)
    assert name not in first(found)
    (mine,) = [each for each in found.found if each.cause.name == name]
    assert mine.grade is Grade.INCONCLUSIVE


def test_less_evidence_lowers_the_verdict() -> None:
    found = why({**FAULTS["workers-idle"], workers.beats: UNKNOWN})
    assert [(each.cause.name, each.grade) for each in found.best] == [
        ("workers-drained", Grade.LIKELY),
        ("workers-idle", Grade.LIKELY),
    ], "without heartbeats they look the same"


def test_everything_out_of_reach_is_inconclusive() -> None:
    found = judged(dict.fromkeys(HEALTHY, UNKNOWN), known_causes())
    assert first(found) == []
    assert lines(found)[0].startswith("Inconclusive: ")


def test_what_nobody_explains_is_named() -> None:
    assert lines(why({services.now: conditions(stopped("redis-exporter"))})) == (
        "Inconclusive: no known cause explains what is wrong: redis-exporter: redis-exporter-1 is stopped.",
    )


def test_an_api_that_does_not_answer_is_not_blamed_while_its_database_cannot_be_looked_at() -> None:
    """Behind it may be a lock that nobody sees."""
    found = why({**FAULTS["api-hung"], postgres.insides: UNKNOWN})
    assert first(found) == []
    assert lines(found)[0].startswith("Inconclusive: ")


def test_half_of_the_evidence_for_what_explains_nothing_is_none() -> None:
    """The host is busy, and nobody knows whether the API is slow."""
    busy = {host.pressure: host.Pressure(CALM | {"cpu": 0.9}, {})}
    assert first(why({**busy, requests.lately: UNKNOWN})) == []


PRESSED: Values = {
    host.pressure: host.Pressure(CALM | {"cpu": 0.9}, {}),
    requests.lately: replace(SLOW, errors=0.2),
}
BACKGROUND = [cause.name for cause in known_causes() if cause.background]


@pytest.mark.parametrize("name", [name for name in FAULTS if name not in BACKGROUND])
def test_what_is_seen_to_be_broken_comes_before_a_busy_host(name: str) -> None:
    """Its pressure is real and slows requests; it broke nothing."""
    assert first(why({**PRESSED, **FAULTS[name]})) == [name]


def test_a_busy_host_comes_first_where_it_explains_more() -> None:
    """Jobs wait, requests are slow: the disk explains both, an API that has too much to do only one."""
    found = why({**FAULTS["postgres-disk-slow"], queue.queue: LONG})
    assert first(found) == ["postgres-disk-slow"]
    assert len(found.best[0].explained) > 1


def test_what_is_missing_is_named() -> None:
    found = why({**FAULTS["redis-full"], redis.info: UNKNOWN})
    assert first(found) == []
    assert lines(found) == (
        "Inconclusive: 5 causes could not be examined: redis-append-fails, redis-evicting, redis-full and 2 more.",
        "Missing: It did not answer.",
    )


def test_where_nothing_runs_no_part_is_blamed() -> None:
    """Each of them is stopped, and would be a cause by itself."""
    assert [each.cause.name for each in why(FAULTS["nothing-runs"]).found if each.evidence] == ["nothing-runs"]


def test_a_crash_loop_is_over_once_it_was_quiet_or_is_given_up() -> None:
    quiet = tuple(replace(each, at=each.at - timedelta(minutes=2)) for each in DIED)
    assert first(why({services.events: quiet})) == []
    given_up = Condition(Replica("api", 1, "api", "demo-api-1", State.FAILED), "failed", "exit code 1")
    assert first(why({services.events: quiet, services.now: conditions(given_up)})) == ["crash-loop"]


def test_all_workers_busy_at_this_moment_is_enough_to_call_it_more_work() -> None:
    """The average of 15 minutes does not show it yet."""
    busy = (workers.Beat("w1", "busy", 0.5),)
    assert first(why({queue.queue: LONG, workers.beats: busy})) == ["more-work"]


def test_jobs_that_the_worker_kills_for_memory_are_no_poison() -> None:
    letters = queue.DeadLetters(5, 5, 5, 9.0, memory=4)
    assert first(why({queue.dead_letters: letters})) == ["worker-killed-for-memory"]


def test_a_tie_is_shown_as_one() -> None:
    @sign(moment.now)
    def always(now: datetime) -> str:
        return f"it is {now:%H:%M}"

    one = Cause("one", "One did it.", (always,), (), 1, "tradebot status")
    found = judged(HEALTHY, [one, replace(one, name="two", title="Two did it.")])
    assert lines(found)[0] == "Several causes fit equally well (supported): One did it. Or: Two did it."


def test_a_new_cause_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "zz_moon.py").write_text(
        '"""The moon."""\n\nfrom tradebot_ops.diagnostics.cause import Cause\n'
        "from tradebot_ops.diagnostics.signs import clock_off\n\n"
        'CAUSE = Cause("moon", "The moon did it.", (clock_off,), ("clock", "moon"), 9, "tradebot diag clock")\n'
    )
    monkeypatch.setattr(causes, "__path__", [*causes.__path__, str(tmp_path)])
    known_causes.cache_clear()
    try:
        assert first(why(FAULTS["clock-off"])) == ["moon"]
    finally:
        known_causes.cache_clear()


def test_all_that_is_asked_is_known_here() -> None:
    asked = {fact for cause in known_causes() for fact in cause.asks} | set(ASKS)
    assert asked == set(HEALTHY)
