"""What is said of the description and of what came of it."""

from pathlib import Path

import pytest

from tradebot_ops.engines.inspection import EngineInfo, Inspected
from tradebot_ops.facts.project.described import Drift, Reading
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.stages.configuration import description
from tradebot_ops.stack.model import Build, Limits, Probe, Service, Stack

GB = 1024**3
PASS, WARN, FAIL, SKIP, ERROR = Level.PASS, Level.WARN, Level.FAIL, Level.SKIP, Level.ERROR


def stack(*services: Service) -> Stack:
    return Stack("demo", Path(), (), {each.name: each for each in services})


def test_a_description_with_problems_names_the_first_and_its_line() -> None:
    assert description.whole(Reading(services=3, mounts=2)).level is PASS
    verdict = description.whole(Reading(("/x/compose.yaml:7: mounts /y",), "Create it.", "compose.yaml:7"))
    assert (verdict.level, verdict.anchor) == (FAIL, "compose.yaml:7")
    assert verdict.hint == "Create it. Then: tradebot config validate"


@pytest.mark.parametrize(
    ("found", "level"),
    [
        (Drift(replicas=4), PASS),
        (Drift(), SKIP),
        (Drift(contents=("api-1",), replicas=4), WARN),
        (Drift(loaded=("prometheus: rule X",), replicas=4), WARN),
        (Drift(unseen=("prometheus: away",), replicas=4), ERROR),
        (Drift(description=("api-1",), contents=("worker-1",), replicas=4), FAIL),
    ],
)
def test_in_force(found: Drift, level: Level) -> None:
    assert description.in_force(found).level is level


def sized(redis: float, redis_limit: float | None, cache: float, postgres_limit: float, workers: int = 1) -> Stack:
    def store(name: str, needs: float, limit: float | None) -> Service:
        limits = Limits(memory=int(limit * GB) if limit else None)
        return Service(name, "i", (), probe=Probe(name, 1), needs_memory=int(needs * GB), limits=limits)

    worker = Service("worker", "i", (), scalable=True, replicas=workers, limits=Limits(memory=2 * GB))
    seen = Service("prometheus", "i", (), profiles=("monitoring",))
    return stack(store("redis", redis, redis_limit), store("postgres", cache, postgres_limit), worker, seen)


@pytest.mark.parametrize(
    ("found", "level"),
    [
        (sized(1, 2, 1, 4), PASS),
        (sized(1.7, 2, 1, 4), WARN),
        (sized(2, 2, 1, 4), FAIL),
        (sized(1, None, 1, 4), WARN),
        (sized(1, 2, 0.5, 4), WARN),
        (sized(1, 2, 2, 4), WARN),
        (sized(1, 2, 1, 4, workers=6), PASS),
        (sized(1, 2, 1, 4, workers=7), FAIL),
    ],
)
def test_sizes(found: Stack, level: Level) -> None:
    info = EngineInfo("docker", "29", "Linux", 16 * GB, 8, "/", on_this_host=True)
    assert description.sizes(found, info).level is level


def test_what_does_not_fit_only_warns_in_dev() -> None:
    assert description.sizes.at_most == {"dev": WARN}


@pytest.mark.parametrize(
    ("image", "level"),
    [
        ("redis:8.0@sha256:" + "a" * 64, PASS),
        ("redis:8.0", WARN),
        ("registry.example:5000/redis", FAIL),
        ("redis:latest", FAIL),
        ("redis", FAIL),
    ],
)
def test_pinned(image: str, level: Level) -> None:
    ours = Service("api", "tradebot/app:latest", (), build=Build(Path("/s"), Path("/s/Dockerfile")))
    described = stack(Service("redis", image, ()), ours)
    built = Inspected("api", 1, "a", "a", "running", image="tradebot/app:latest", source_hash="f" * 64)
    assert description.pinned(described, (built,)).level is level


def test_an_image_that_runs_and_nobody_described_counts() -> None:
    stray = Inspected("api", 1, "a", "a", "running", image="other:latest")
    assert description.pinned(stack(), (stray,)).level is FAIL


def test_a_stand_in_that_was_built_here_is_known_by_its_source() -> None:
    described = stack(Service("redis", "tradebot/redis:8.0", ()))
    built = Inspected("redis", 1, "r", "r", "running", image="tradebot/redis:8.0", source_hash="f" * 64)
    assert description.pinned(described, (built,)).level is PASS
    assert description.pinned(described, ()).level is WARN
