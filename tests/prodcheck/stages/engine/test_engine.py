"""What the checks of stage 1 say of values on either side of each limit."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from tradebot_ops.engines.inspection import EngineInfo, Inspected, TriedOut
from tradebot_ops.facts.engine import Reach
from tradebot_ops.facts.host import Clock, Disk, Kernel, Pressure
from tradebot_ops.facts.project.support import TABLE_DATE, supported_until
from tradebot_ops.facts.replicas.programs import Packages
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.stages.engine import containers, kernel, reach, releases, room
from tradebot_ops.stack.model import Limits, Service, Stack

GB = 1024**3
INFO = EngineInfo("docker", "26.1", "Linux", 64 * GB, 16, "/var/lib/docker", on_this_host=True, api="1.45")
PASS, WARN, FAIL, SKIP = Level.PASS, Level.WARN, Level.FAIL, Level.SKIP


def stack(memory: int = 10 * GB, cpus: float = 4, replicas: int = 1) -> Stack:
    worker = Service("worker", "i", (), restart="always", replicas=replicas, limits=Limits(memory, cpus))
    once = Service("migrate", "i", (), one_shot=True, limits=Limits(500 * GB, 100))
    return Stack("demo", Path(), (), {"worker": worker, "migrate": once})


@pytest.mark.parametrize(("seconds", "level"), [(0.01, PASS), (0.6, WARN)])
def test_a_slow_engine_warns(seconds: float, level: Level) -> None:
    assert reach.answers(Reach("docker", "it answers", seconds, ())).level is level


@pytest.mark.parametrize(
    ("memory", "limit", "env", "level"),
    [
        (64, 10, "prod", PASS),
        (31, 10, "prod", FAIL),
        (31, 10, "staging", WARN),
        (31, 10, "dev", PASS),
        (40, 35, "prod", WARN),
        (40, 41, "prod", FAIL),
        (8, 10, "dev", FAIL),
    ],
)
def test_memory(memory: int, limit: int, env: str, level: Level) -> None:
    assert room.memory(replace(INFO, memory=memory * GB), stack(limit * GB), env).level is level


def test_memory_counts_every_replica() -> None:
    assert room.memory(replace(INFO, memory=64 * GB), stack(10 * GB, replicas=7), "prod").level is FAIL


@pytest.mark.parametrize(
    ("cpus", "limit", "env", "level"),
    [
        (16, 4, "prod", PASS),
        (4, 4, "prod", FAIL),
        (4, 4, "staging", WARN),
        (4, 4, "dev", PASS),
        (2, 4, "dev", FAIL),
        (16, 12, "prod", PASS),
    ],
)
def test_processors(cpus: int, limit: float, env: str, level: Level) -> None:
    assert room.processors(replace(INFO, cpus=cpus), stack(cpus=limit), env).level is level


def test_processors_are_shared_where_no_single_service_may_use_more() -> None:
    assert room.processors(INFO, stack(cpus=4, replicas=5), "prod").level is WARN
    assert room.processors(replace(INFO, name="local", cpus=2), stack(cpus=4), "dev").level is WARN


@pytest.mark.parametrize(
    ("free", "inodes_free", "days", "env", "level"),
    [
        (50, 50, None, "dev", PASS),
        (20, 50, None, "dev", WARN),
        (10, 50, None, "dev", FAIL),
        (50, 15, None, "dev", WARN),
        (50, 5, None, "dev", FAIL),
        (50, 50, 15.0, "dev", PASS),
        (50, 50, 10.0, "dev", WARN),
        (50, 50, 2.0, "dev", FAIL),
        (50, 50, None, "prod", FAIL),
    ],
)
def test_disk(free: int, inodes_free: int, days: float | None, env: str, level: Level) -> None:
    assert room.disk(Disk("/", 100 * GB, free * GB, 100, inodes_free), days, env).level is level


def test_a_file_system_without_inodes_is_judged_by_its_space() -> None:
    assert room.disk(Disk("/", 600 * GB, 300 * GB, 0, 0), None, "prod").level is PASS


@pytest.mark.parametrize(
    ("share", "swap", "level"), [(0.1, 0, PASS), (0.3, 0, WARN), (0.7, 0, FAIL), (0.1, 64 << 20, WARN)]
)
def test_pressure(share: float, swap: int, level: Level) -> None:
    assert room.pressure(Pressure({"cpu": 0.0, "io": share}, {"redis-1": swap})).level is level


def replica(**fields: object) -> Inspected:
    return replace(Inspected("api", 1, "id", "bot-api-1", "running"), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("driver", "options", "level"),
    [
        ("json-file", {"max-size": "10m"}, PASS),
        ("json-file", {}, FAIL),
        ("json-file", {"max-size": "-1"}, FAIL),
        ("local", {}, PASS),
        ("journald", {}, PASS),
        ("supervisor", {"max-size": "1"}, PASS),
    ],
)
def test_logs(driver: str, options: dict[str, str], level: Level) -> None:
    assert containers.logs((replica(log_driver=driver, log_options=options),)).level is level


def test_where_nothing_was_started_no_log_is_judged() -> None:
    assert containers.logs(()).level is SKIP


@pytest.mark.parametrize(
    ("api", "pinned", "level"),
    [("1.45", "", PASS), ("1.40", "", WARN), ("1.45", "1.20", FAIL), ("1.52", "", FAIL), ("", "", SKIP)],
)
def test_api(api: str, pinned: str, level: Level) -> None:
    info = replace(INFO, api=api, api_pinned=pinned, api_min="1.24", api_max="1.51")
    assert containers.api(info).level is level


@pytest.mark.parametrize(
    ("enabled", "env", "level"),
    [(True, "prod", PASS), (False, "prod", FAIL), (False, "dev", WARN), (None, "prod", SKIP)],
)
def test_reboot(enabled: bool | None, env: str, level: Level) -> None:
    assert containers.reboot(replace(INFO, starts_at_boot=enabled), env).level is level


def test_a_scratch_container_that_ran_is_a_pass() -> None:
    assert containers.runs(TriedOut("tradebot/redis:8.0")).level is PASS


def test_a_scratch_container_that_the_engine_refuses_is_a_failure_in_its_words() -> None:
    verdict = containers.runs(TriedOut("redis:8.0", "Docker refused while trying out a container: no cgroup."))
    assert verdict.level is FAIL
    assert verdict.message.endswith("cannot run containers: Docker refused while trying out a container: no cgroup.")


@pytest.mark.parametrize(
    ("synchronised", "offset", "apart", "level"),
    [
        (True, 0.001, 0.0, PASS),
        (True, -0.2, 0.0, WARN),
        (True, 0.0, 0.5, WARN),
        (True, 1.0, 0.0, FAIL),
        (True, 0.0, 2.0, FAIL),
        (False, None, 0.0, FAIL),
    ],
)
def test_clock(synchronised: bool, offset: float | None, apart: float, level: Level) -> None:
    assert kernel.clock(Clock(synchronised, offset, apart, "adjtimex")).level is level


def test_an_unsynchronised_clock_only_warns_in_dev() -> None:
    assert kernel.clock.at_most == {"dev": WARN}


@pytest.mark.parametrize(
    ("overcommit", "hugepages", "somaxconn", "level"),
    [
        ("1", "always [madvise] never", "4096", PASS),
        ("0", "always [madvise] never", "4096", WARN),
        ("1", "[always] madvise never", "4096", WARN),
        ("1", None, "128", WARN),
        ("1", None, None, WARN),
        (None, None, "4096", WARN),
    ],
)
def test_kernel(overcommit: str | None, hugepages: str | None, somaxconn: str | None, level: Level) -> None:
    assert kernel.kernel(Kernel(overcommit, hugepages, somaxconn)).level is level


@pytest.mark.parametrize(
    ("installed", "level"),
    [
        ({"redis": "5.2", "psycopg-binary": "3"}, PASS),
        ({"redis": "4.9", "psycopg-binary": "3"}, FAIL),
        ({"redis": "5.2"}, FAIL),
    ],
)
def test_packages(installed: dict[str, str], level: Level) -> None:
    found = Packages("api-1", "3.13.1", installed, ("redis>=5.0", "psycopg_binary>=3"))
    assert releases.packages((found,)).level is level


@pytest.mark.parametrize(
    ("version", "today", "level"),
    [
        ("17.6", TABLE_DATE, PASS),
        ("13.1", TABLE_DATE, WARN),
        ("17.6", date(2027, 7, 1), WARN),
        ("99.1", TABLE_DATE, WARN),
    ],
)
def test_support(version: str, today: date, level: Level) -> None:
    assert releases.supported({"postgres": version}, today).level is level


def test_debians_builds_are_debians_to_mend() -> None:
    verdict = releases.supported({"prometheus": "2.53.3+ds1", "postgres": "17.6"}, TABLE_DATE)
    assert verdict.level is PASS
    assert "not in it: prometheus" in verdict.evidence


def test_a_version_belongs_to_the_longest_name_that_it_begins_with() -> None:
    assert supported_until("python", "3.11.2") == date(2027, 10, 31)
    assert supported_until("python", "3.1.2") is None
    assert supported_until("postgres", "18.1") == date(2030, 11, 14)
    assert supported_until("nothing", "1") is None
