"""What is said of what running processes make of their settings."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tradebot_ops.engines.base import LogLine, Replica, State
from tradebot_ops.facts.replicas.environments import Reported
from tradebot_ops.facts.replicas.logs import Entry
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.stages.configuration import running
from tradebot_ops.stack.model import Build, Service, Stack
from tradebot_ops.text.log_line import json_object

PASS, WARN, FAIL, SKIP = Level.PASS, Level.WARN, Level.FAIL, Level.SKIP
START = datetime(2026, 11, 26, 12, tzinfo=UTC)
GOOD = '{"timestamp": "2026-11-26T12:00:00Z", "level": "info", "event": "x"}'


@pytest.mark.parametrize(
    ("found", "env", "level"),
    [
        (Reported("production", "production", {"api-1": "production"}), "prod", PASS),
        (Reported("dev", "dev", {"api-1": "dev"}), "dev", PASS),
        (Reported("dev", "dev", {"api-1": "dev"}), "prod", FAIL),
        (Reported("staging", "dev", {"api-1": "dev"}), "dev", FAIL),
        (Reported("production", "production", {"worker-1": "dev"}), "prod", FAIL),
        (Reported("production", "", {}), "prod", FAIL),
        (Reported("production", "production", {}, debugging=("api-1",)), "prod", FAIL),
        (Reported("dev", "dev", {}, debugging=("api-1",)), "dev", WARN),
    ],
)
def test_declared(found: Reported, env: str, level: Level) -> None:
    assert running.declared(found, env).level is level


def written(*texts: str, at: datetime | None = START) -> tuple[Entry, ...]:
    return tuple(Entry(LogLine("api", 1, text, at), json_object(text)) for text in texts)


def judge(entries: tuple[Entry, ...], *replicas: Replica) -> Level:
    build = Build(Path("/s"), Path("/s/Dockerfile"))
    services = {"api": Service("api", "i", (), build=build), "redis": Service("redis", "i", ())}
    return running.structured({"api-1": entries}, replicas, Stack("demo", Path(), (), services)).level


API = Replica("api", 1, "a", "a", State.RUNNING, started_at=START)


@pytest.mark.parametrize(
    ("texts", "level"),
    [
        ([GOOD] * 30, PASS),
        ([GOOD] * 18 + ["plain"] * 2, WARN),
        ([GOOD] * 17 + ["plain"] * 3, FAIL),
        (['{"event": "no level"}'], FAIL),
        ([], WARN),
        (["", GOOD], PASS),
    ],
)
def test_structured(texts: list[str], level: Level) -> None:
    assert judge(written(*texts), API) is level


def test_only_the_last_lines_since_the_start_are_judged() -> None:
    before = written("plain", at=START - timedelta(seconds=1))
    assert judge(before + written(GOOD), API) is PASS
    assert judge(written("plain", *[GOOD] * 20), API) is PASS
    # A line that is not JSON has no time of its own: its place decides.
    assert judge(before + written("plain", at=None) + written(GOOD), API) is PASS


def test_stores_are_left_alone_and_where_nothing_runs_nothing_is_judged() -> None:
    assert judge(written(GOOD), replace(API, service="redis")) is SKIP
    assert judge(written(GOOD), replace(API, state=State.EXITED)) is SKIP
