"""What follows from what was used: enough or too little of it, in the right direction, and at rest afterwards."""

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from tradebot_ops.facts.metrics.usage import JobMemory, Usage
from tradebot_ops.operations.optimize.decide import DAY_S, JOBS_NEEDED, MB, Change, Decision, Limits, decide

GB = 1024 * MB
NOW = Limits(8, 2560 * MB, GB, 512 * MB, 256 * MB, 100)
QUIET = Usage(
    7 * DAY_S,
    7 * DAY_S,
    busy=5.6,
    waiting=0.0,
    worker_idle_bytes=200 * MB,
    worker_peak_bytes=600 * MB,
    redis_peak_bytes=160 * MB,
    connections_peak=20,
    hits=0.999,
    blocks=1e6,
    database_bytes=210 * MB,
    host_bytes=32 * GB,
    jobs=JobMemory(100, 0.7 * GB),
)
SETTINGS = {
    "WORKER_REPLICAS": "workers",
    "WORKER_MEMORY_LIMIT": "worker_memory",
    "JOB_MEMORY_LIMIT": "job_memory",
    "REDIS_MAXMEMORY": "redis_memory",
    "POSTGRES_SHARED_BUFFERS": "shared_buffers",
    "POSTGRES_MAX_CONNECTIONS": "connections",
}
SIZES = st.none() | st.floats(1, 64 * GB)
USAGES = st.builds(
    Usage,
    window_s=st.just(DAY_S),
    measured_s=st.just(DAY_S),
    busy=st.none() | st.floats(0, 100),
    waiting=st.none() | st.floats(0, 1e6),
    worker_idle_bytes=SIZES,
    worker_peak_bytes=SIZES,
    redis_peak_bytes=SIZES,
    connections_peak=st.none() | st.floats(0, 5_000),
    hits=st.none() | st.floats(0, 1),
    blocks=st.floats(0, 1e9),
    database_bytes=SIZES,
    host_bytes=SIZES,
    jobs=st.builds(JobMemory, st.integers(0, 1000), st.floats(1, 16 * GB)),
)
LIMITS = st.builds(
    Limits,
    st.integers(0, 100),
    *[st.integers(256, 64 * 1024).map(lambda size: size * MB)] * 4,
    st.integers(10, 10_000),
)


def found(decision: Decision, setting: str) -> Change | None:
    return next((change for change in decision.changes if change.setting == setting), None)


def done(decision: Decision, now: Limits) -> Limits:
    return replace(now, **{SETTINGS[change.setting]: change.after for change in decision.changes})


@given(USAGES, LIMITS)
def test_what_was_changed_is_what_is_in_force_and_comes_to_rest(usage: Usage, now: Limits) -> None:
    """The cache of Postgres may double several times; everything else is right at once."""
    for turn in range(12):
        decision = decide(usage, now)
        for change in decision.changes:
            assert change.before == getattr(now, SETTINGS[change.setting])
            assert change.after > 0
            assert change.after != change.before
            assert turn == 0 or change.setting == "POSTGRES_SHARED_BUFFERS", change
        if not decision.changes:
            return
        now = done(decision, now)
    pytest.fail(f"still {decision.changes}")


@given(USAGES, LIMITS)
def test_no_limit_is_set_below_what_was_used(usage: Usage, now: Limits) -> None:
    after = {change.setting: change.after for change in decide(usage, now).changes}
    if "JOB_MEMORY_LIMIT" in after:
        assert after["JOB_MEMORY_LIMIT"] > usage.jobs.peak_bytes
    if "REDIS_MAXMEMORY" in after:
        assert after["REDIS_MAXMEMORY"] > (usage.redis_peak_bytes or 0)
    if "WORKER_REPLICAS" in after:
        assert min(100, usage.busy or 0) <= after["WORKER_REPLICAS"] <= 100
    worker = after.get("WORKER_MEMORY_LIMIT", now.worker_memory)
    if {"WORKER_MEMORY_LIMIT", "JOB_MEMORY_LIMIT"} & after.keys():
        assert worker > 2 * after.get("JOB_MEMORY_LIMIT", now.job_memory)


@given(USAGES, LIMITS, st.floats(0, 0.89))
def test_too_little_on_record_decides_nothing(usage: Usage, now: Limits, share: float) -> None:
    decision = decide(replace(usage, measured_s=share * DAY_S), now)
    assert (decision.changes, decision.kept) == ((), ())
    assert "more" in decision.lacking


def test_it_says_how_much_is_missing() -> None:
    lacking = decide(replace(QUIET, measured_s=0.4 * DAY_S), NOW).lacking
    assert lacking == "Of the last 168 h, 9.6 h of measurements are on record; 21.6 h are needed, 12 h more."


def test_what_fits_stays() -> None:
    decision = decide(QUIET, NOW)
    assert decision.changes == ()
    assert {each.setting for each in decision.kept} == set(SETTINGS)
    assert all(each.known for each in decision.kept)


@pytest.mark.parametrize(
    ("seen", "setting", "after"),
    [
        ({"busy": 2.0}, "WORKER_REPLICAS", 3),
        ({"busy": 0.0}, "WORKER_REPLICAS", 1),
        ({"busy": 8.0, "waiting": 40.0}, "WORKER_REPLICAS", 12),
        ({"jobs": JobMemory(50, 0.9 * GB)}, "JOB_MEMORY_LIMIT", 1408 * MB),
        ({"jobs": JobMemory(3, 0.5 * GB, killed=2)}, "JOB_MEMORY_LIMIT", 2 * GB),
        ({"jobs": JobMemory(50, 100 * MB)}, "WORKER_MEMORY_LIMIT", 832 * MB),
        ({"redis_peak_bytes": 480.0 * MB}, "REDIS_MAXMEMORY", 960 * MB),
        ({"redis_peak_bytes": 10.0 * MB}, "REDIS_MAXMEMORY", 128 * MB),
        ({"database_bytes": 9.0 * MB}, "POSTGRES_SHARED_BUFFERS", 128 * MB),
        ({"database_bytes": 2.0 * GB, "hits": 0.8}, "POSTGRES_SHARED_BUFFERS", 512 * MB),
        ({"connections_peak": 95.0}, "POSTGRES_MAX_CONNECTIONS", 190),
    ],
)
def test_each_setting_follows_its_use(seen: dict[str, Any], setting: str, after: int) -> None:
    change = found(decide(replace(QUIET, **seen), NOW), setting)
    assert change is not None
    assert (change.after, bool(change.why)) == (after, True)


def test_idle_workers_that_go_free_their_memory() -> None:
    change = found(decide(replace(QUIET, busy=2.0), NOW), "WORKER_REPLICAS")
    assert change is not None
    assert change.frees == 5 * NOW.worker_memory


def test_nobody_is_sent_home_while_jobs_wait() -> None:
    assert found(decide(replace(QUIET, busy=1.0, waiting=3.0), NOW), "WORKER_REPLICAS") is None


def test_a_host_without_memory_gets_no_more_workers() -> None:
    decision = decide(replace(QUIET, busy=8.0, host_bytes=5.0 * GB), NOW)
    assert found(decision, "WORKER_REPLICAS") is None
    assert any("no memory" in each.why for each in decision.kept)


def test_few_jobs_say_nothing_about_their_memory() -> None:
    decision = decide(replace(QUIET, jobs=JobMemory(JOBS_NEEDED - 3, 10.0 * MB)), NOW)
    kept = {each.setting: each for each in decision.kept}
    assert kept["JOB_MEMORY_LIMIT"].known is False
    assert "3 more" in kept["JOB_MEMORY_LIMIT"].why


def test_what_nobody_measured_is_named_and_stays() -> None:
    decision = decide(Usage(DAY_S, DAY_S), NOW)
    assert decision.changes == ()
    assert [each.known for each in decision.kept] == [False] * len(fields(Limits))


def read(decision: Decision) -> list[str]:
    changes = [
        f"{each.setting}: {each.before} -> {each.after}, frees {each.frees}. {each.why}" for each in decision.changes
    ]
    return changes + [f"{each.setting} {'fits' if each.known else 'unknown'}. {each.why}" for each in decision.kept]


USES: dict[str, dict[str, Any]] = {
    "what fits": {},
    "few workers are busy": {"busy": 2.0},
    "all workers are busy": {"busy": 8.0, "waiting": 40.0},
    "all workers are busy, and the host is full": {"busy": 8.0, "host_bytes": 5.0 * GB},
    "jobs come near their limit": {"jobs": JobMemory(50, 0.9 * GB)},
    "jobs were killed for memory": {"jobs": JobMemory(3, 0.5 * GB, killed=2)},
    "jobs are small": {"jobs": JobMemory(50, 100 * MB)},
    "few jobs ended": {"jobs": JobMemory(JOBS_NEEDED - 3, 10.0 * MB)},
    "Redis is full": {"redis_peak_bytes": 480.0 * MB},
    "Redis is empty": {"redis_peak_bytes": 10.0 * MB},
    "the database is small": {"database_bytes": 9.0 * MB},
    "the database is large": {"database_bytes": 2.0 * GB, "hits": 0.8},
    "the database was hardly read": {"database_bytes": 2.0 * GB, "hits": None, "blocks": 9_999.0},
    "many connections": {"connections_peak": 95.0},
    "more connections than may be": {"connections_peak": 9_000.0},
    "nobody measured": dict.fromkeys(
        ("busy", "redis_peak_bytes", "connections_peak", "database_bytes", "worker_idle_bytes")
    ),
}


def test_every_change_and_every_rest_has_its_reason(snapshot: SnapshotAssertion) -> None:
    told = {name: read(decide(replace(QUIET, **seen), NOW)) for name, seen in USES.items()}
    assert told == snapshot


@pytest.mark.parametrize(
    ("seen", "setting", "changed"),
    [
        ({"busy": 0.6 * 8}, "WORKER_REPLICAS", False),
        ({"busy": 0.59 * 8}, "WORKER_REPLICAS", True),
        ({"busy": 0.8 * 8}, "WORKER_REPLICAS", False),
        ({"busy": 0.81 * 8}, "WORKER_REPLICAS", True),
        ({"connections_peak": 80}, "POSTGRES_MAX_CONNECTIONS", False),
        ({"connections_peak": 81}, "POSTGRES_MAX_CONNECTIONS", True),
        ({"redis_peak_bytes": 0.8 * 512 * MB}, "REDIS_MAXMEMORY", False),
        ({"redis_peak_bytes": 0.81 * 512 * MB}, "REDIS_MAXMEMORY", True),
        ({"database_bytes": 2.0 * GB, "hits": 0.99}, "POSTGRES_SHARED_BUFFERS", False),
        ({"database_bytes": 2.0 * GB, "hits": 0.98}, "POSTGRES_SHARED_BUFFERS", True),
        ({"database_bytes": 2.0 * GB, "hits": 0.98, "blocks": 9_999.0}, "POSTGRES_SHARED_BUFFERS", False),
        ({"database_bytes": 2.0 * GB, "hits": 0.98, "blocks": 10_000.0}, "POSTGRES_SHARED_BUFFERS", True),
        ({"database_bytes": 2.0 * GB, "hits": 0.98, "host_bytes": 1.0 * GB}, "POSTGRES_SHARED_BUFFERS", False),
        ({"jobs": JobMemory(JOBS_NEEDED - 1, 0.9 * GB)}, "JOB_MEMORY_LIMIT", False),
        ({"jobs": JobMemory(JOBS_NEEDED, 0.9 * GB)}, "JOB_MEMORY_LIMIT", True),
        ({"jobs": JobMemory(1, 0.5 * GB, killed=1)}, "JOB_MEMORY_LIMIT", True),
    ],
)
def test_a_setting_changes_only_beyond_its_band(seen: dict[str, Any], setting: str, *, changed: bool) -> None:
    assert (found(decide(replace(QUIET, **seen), NOW), setting) is not None) is changed


@pytest.mark.parametrize(("share", "decided"), [(0.9, True), (0.899, False)])
@pytest.mark.parametrize("window", [DAY_S / 24, DAY_S, 7 * DAY_S])
def test_nine_tenths_of_the_window_or_of_a_day_are_enough(window: float, share: float, *, decided: bool) -> None:
    measured = share * min(window, DAY_S)
    assert (decide(replace(QUIET, window_s=window, measured_s=measured), NOW).lacking == "") is decided


def test_where_no_workers_are_wanted_none_are_counted() -> None:
    kept = {each.setting: each.why for each in decide(QUIET, replace(NOW, workers=0)).kept}
    assert kept["WORKER_REPLICAS"] == "No workers are wanted."
