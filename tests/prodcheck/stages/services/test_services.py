"""What the checks of stage 3 say of values on either side of each limit."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tradebot_ops.engines.base import Event, Health, ImageFacts, Replica, State
from tradebot_ops.engines.inspection import HealthSample, Inspected
from tradebot_ops.facts.access.connections import Connection
from tradebot_ops.facts.replicas.condition import Condition
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.check import Check
from tradebot_ops.prodcheck.stages.services import health, lasting, network
from tradebot_ops.prodcheck.stages.services.replicas import replicas
from tradebot_ops.stack.model import Build, Healthcheck, Probe, Service, Stack

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
PASS, WARN, FAIL, SKIP = Level.PASS, Level.WARN, Level.FAIL, Level.SKIP
PROBE = Probe("tcp", 1)


def stack(*services: Service) -> Stack:
    return Stack("demo", Path(), (), {each.name: each for each in services}, inactive=("grafana",))


def running(service: str = "api", number: int = 1, **fields: Any) -> Replica:
    found = Replica(service, number, f"{service}-{number}", f"demo-{service}-{number}", State.RUNNING)
    return replace(found, **{"started_at": NOW - timedelta(days=3)} | fields)


def seen(service: str = "api", **fields: object) -> Inspected:
    return replace(Inspected(service, 1, service, f"demo-{service}-1", "running"), **fields)  # type: ignore[arg-type]


def look(word: str = "ready", detail: str = "", **fields: Any) -> tuple[Condition, ...]:
    return (Condition(running(**fields), word, detail),)


@pytest.mark.parametrize(("count", "level"), [(2, PASS), (1, FAIL), (3, WARN)])
def test_replicas(count: int, level: Level) -> None:
    description = stack(Service("api", "i", (), replicas=2))
    found = tuple(running(number=n) for n in range(1, count + 1))
    assert replicas(description, found, {}, "dev").level is level


@pytest.mark.parametrize(("env", "level"), [("dev", PASS), ("prod", WARN)])
def test_what_this_host_cannot_run_is_named_and_no_outage(env: str, level: Level) -> None:
    verdict = replicas(stack(Service("grafana", "i", ())), (), {"grafana": "There is no image of it."}, env)
    assert verdict.level is level
    assert "grafana" in verdict.observed


API = Service("api", "i", (), probe=PROBE)


@pytest.mark.parametrize(
    ("looks", "level"),
    [
        ((look(), look(), look()), PASS),
        ((look(), look("unhealthy", "refused"), look()), FAIL),
        ((look(health=Health.UNHEALTHY), look(), look()), FAIL),
        ((look("restarting"), look(), look()), FAIL),
        (((), (), ()), FAIL),
    ],
)
def test_healthy(looks: tuple[tuple[Condition, ...], ...], level: Level) -> None:
    assert health.healthy(looks, stack(API), ()).level is level


@pytest.mark.parametrize("check", [None, Healthcheck(("NONE",))])
def test_a_service_that_nothing_asks_warns(check: Healthcheck | None) -> None:
    assert health.healthy((look(),) * 3, stack(Service("api", "i", (), healthcheck=check)), ()).level is WARN
    assert health.healthy((look(),) * 3, stack(Service("api", "i", (), one_shot=True)), ()).level is PASS


def test_the_last_words_of_a_health_check_are_the_evidence() -> None:
    logs = (HealthSample(NOW, 0, "fine"), HealthSample(NOW, 1, "connection refused"))
    verdict = health.healthy((look("unhealthy"),) * 3, stack(API), (seen(health_log=logs),))
    assert verdict.evidence == "api-1: connection refused"


@pytest.mark.parametrize(
    ("before", "after", "level"),
    [
        (look(), look(), PASS),
        (look(restarts=1), look(restarts=2), FAIL),
        (look(), look(state=State.RESTARTING), FAIL),
        (look(restarts=2), look(restarts=2), PASS),  # longer ago than a day
        (
            look(restarts=2, started_at=NOW - timedelta(hours=2)),
            look(restarts=2, started_at=NOW - timedelta(hours=2)),
            WARN,
        ),
        (look(), look(started_at=NOW - timedelta(seconds=30)), WARN),
    ],
)
def test_steady(before: tuple[Condition, ...], after: tuple[Condition, ...], level: Level) -> None:
    assert health.steady((before, after), NOW).level is level


@pytest.mark.parametrize(
    ("flagged", "events", "kills", "level"),
    [
        (False, (), {"api-1": 0}, PASS),
        (True, (), {}, FAIL),
        (False, (Event(NOW, "api", 1, "oom"),), {}, FAIL),
        (False, (), {"worker-2": 1}, FAIL),
        (False, (Event(NOW, "api", 1, "die", 137),), {}, WARN),
        (False, (Event(NOW, "", 1, "die", 137),), {}, PASS),  # none of ours
        (False, (Event(NOW - timedelta(seconds=9), "api", 1, "kill"), Event(NOW, "api", 1, "die", 137)), {}, PASS),
        (False, (Event(NOW - timedelta(hours=9), "api", 1, "kill"), Event(NOW, "api", 1, "die", 137)), {}, WARN),
        (False, (Event(NOW, "api", 1, "die", 1), Event(NOW, "api", 1, "stop", 137)), {}, PASS),
    ],
)
def test_memory(flagged: bool, events: tuple[Event, ...], kills: dict[str, int], level: Level) -> None:
    assert health.memory((running(oom_killed=flagged),), events, kills).level is level


@pytest.mark.parametrize(
    ("policy", "one_shot", "level"), [("unless-stopped", False, PASS), ("no", False, FAIL), ("no", True, PASS)]
)
def test_policy(policy: str, one_shot: bool, level: Level) -> None:
    description = stack(Service("api", "i", (), one_shot=one_shot))
    assert lasting.policy(description, (seen(restart_policy=policy),)).level is level


@pytest.mark.parametrize(
    ("check", "values"),
    [
        (health.steady, (((), ()), NOW)),
        (health.memory, ((), (), {})),
        (lasting.policy, (stack(API), ())),
        (lasting.built, (ImageFacts(), stack(API), (), "dev")),
        (lasting.stops, (stack(API), (), None)),
        (lasting.orphans, (stack(API), (), (), NOW)),
    ],
    ids=lambda value: value.id if isinstance(value, Check) else "",
)
def test_where_nothing_was_started_nothing_is_judged(check: Check, values: tuple[object, ...]) -> None:
    assert check(*values).level is SKIP


BUILT = Service("api", "i", (), build=Build(Path(), Path("Dockerfile")))


@pytest.mark.parametrize(
    ("facts", "source", "env", "level"),
    [
        (ImageFacts(), "h", "prod", PASS),
        (ImageFacts(), "", "prod", FAIL),
        (ImageFacts(), "", "dev", PASS),
        (ImageFacts(outdated=frozenset({"api"})), "h", "dev", WARN),
        (ImageFacts(rebuilt=frozenset({"api"})), "h", "dev", WARN),
        (ImageFacts(edited=frozenset({"api"})), "h", "dev", WARN),
        (ImageFacts(outdated=frozenset({"redis"})), "h", "dev", PASS),  # none of ours
    ],
)
def test_built(facts: ImageFacts, source: str, env: str, level: Level) -> None:
    assert lasting.built(facts, stack(BUILT), (seen(source_hash=source),), env).level is level


WORKER = Service("worker", "i", (), environment={"WORKER_GRACE_SECONDS": "30"}, stop_grace=45)


@pytest.mark.parametrize(
    ("fields", "longest", "level"),
    [
        ({"stop_grace": 45.0, "init": True}, None, PASS),
        ({"stop_grace": 45.0, "init": True}, 40.0, PASS),
        ({"stop_grace": 45.0, "init": True}, 60.0, WARN),
        ({"stop_grace": 30.0, "init": True}, None, WARN),
        ({"stop_grace": 45.0, "command": ("/bin/sh", "-c", "x")}, None, WARN),
        ({"stop_grace": 45.0, "command": ("/bin/sh", "-c", "x"), "init": True}, None, PASS),
        ({"stop_grace": 45.0, "command": ("python",)}, None, PASS),
    ],
)
def test_stops(fields: dict[str, object], longest: float | None, level: Level) -> None:
    assert lasting.stops(stack(WORKER), (seen("worker", **fields),), longest).level is level


@pytest.mark.parametrize(
    ("service", "one_off_age", "level"),
    [("api", None, PASS), ("grafana", None, PASS), ("other", None, WARN), ("api", 2, PASS), ("api", 30, WARN)],
)
def test_orphans(service: str, one_off_age: int | None, level: Level) -> None:
    ended = NOW - timedelta(hours=one_off_age or 0)
    once = (seen("x", one_off=True, status="exited", finished_at=ended),) if one_off_age is not None else ()
    assert lasting.orphans(stack(API), (running(service),), once, NOW).level is level


@pytest.mark.parametrize("check", [network.inside, network.outside], ids=["inside", "outside"])
def test_connections(check: Check) -> None:
    good, bad = Connection("api-1", "redis:6379", ""), Connection("worker-1", "postgres:5432", "gaierror: no name")
    assert check((good,)).level is PASS
    verdict = check((good, bad))
    assert (verdict.level, verdict.observed) == (FAIL, "worker-1 -> postgres:5432")
    assert "gaierror" in verdict.evidence
