"""Secrets change under jobs and calls, on real stores: nothing fails, old values are refused, a kill breaks nothing."""

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration.local.test_monitoring import monitored, require_monitoring
from tests.integration.rotation import (
    NAMES,
    SAMPLE,
    STEPS,
    address,
    finishes_after_a_kill,
    logs_in,
    value,
    works,
)
from tests.integration.tradebot import Tradebot
from tests.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("local-secrets")]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tradebot]:
    project = monitored(tmp_path_factory.mktemp("secrets") / "home", WORKER_REPLICAS="1")
    try:
        project.ok("up", timeout=300)
        require_monitoring(project)
        yield project
    finally:
        project.clean()


def test_every_one_changes_under_jobs_and_calls_and_nothing_fails(stack: Tradebot) -> None:
    before = {name: value(stack, name) for name in NAMES}
    over = threading.Event()
    failed: list[str] = []
    submitted: list[str] = []

    def call() -> None:
        while not over.is_set():
            done = stack.run("jobs", "submit", "canary", "--json")
            failed.extend([done.stdout] if done.returncode else [])
            submitted.append(done.stdout)

    callers = [threading.Thread(target=call) for _ in range(2)]
    for caller in callers:
        caller.start()
    try:
        done = stack.json("secrets", "rotate", "--all")
    finally:
        over.set()
        for caller in callers:
            caller.join()
    assert failed == []
    assert len(submitted) > 3
    assert [each["name"] for each in done["rotated"]] == list(NAMES)
    assert done["left"] == {}
    for name in NAMES:
        assert value(stack, name) != before[name]
        if name == "grafana_admin_password":
            continue  # it does not run on this engine
        assert logs_in(stack, name, value(stack, name))
        assert not logs_in(stack, name, before[name]), name
    works(stack)
    assert stack.json("secrets", "check")["sound"]
    dead = stack.json("dlq", "list")
    assert not dead.get("groups"), dead
    watched(stack)


def watched(stack: Tradebot) -> None:
    """Prometheus scrapes everything, itself as well, sends alerts, and both exporters see their stores."""

    def shown(service: str, line: str) -> bool:
        host, port = address(stack, service)
        return line in httpx.get(f"http://{host}:{port}/metrics", timeout=30).text

    def scraped() -> bool:
        return {each["health"] for each in stack.json("monitoring", "targets")} == {"up"}

    until(lambda: shown("redis-exporter", "\nredis_up 1"), "the exporter sees Redis", 60)
    until(lambda: shown("postgres-exporter", "\npg_up 1"), "the exporter sees Postgres", 60)
    until(scraped, "every target is up", 120)
    stack.ok("alerts", "test")


def killed(name: str, step: int) -> object:
    return pytest.param(name, step, marks=[] if (name, step) in SAMPLE else pytest.mark.drill)


@pytest.mark.parametrize(("name", "step"), [killed(name, step) for name, steps in STEPS.items() for step in steps])
def test_killed_at_any_step_the_stack_works_and_the_same_command_finishes(
    stack: Tradebot, tmp_path: Path, name: str, step: int
) -> None:
    finishes_after_a_kill(stack, tmp_path, name, step)


def test_a_value_of_ones_own_is_taken(stack: Tradebot, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("a-key-of-my-own-choosing\n")
    stack.ok("secrets", "import", "api_key", str(tmp_path / "key"))
    assert stack.ok("secrets", "show", "api_key").strip() == "a-key-of-my-own-choosing"
    assert stack.json("jobs", "submit", "canary")["id"]
    shown = stack.json("audit", "--command", "secrets")["changes"]
    assert [each["command"] for each in shown][-2:] == ["secrets import", "secrets show"]
    assert "a-key-of-my-own-choosing" not in (stack.state / "audit.jsonl").read_text()


def test_what_is_computed_from_others_or_no_secret_is_refused(stack: Tradebot) -> None:
    assert stack.run("secrets", "rotate", "redis_acl").returncode == 2
    assert stack.run("secrets", "rotate", "api_kee").returncode == 2
