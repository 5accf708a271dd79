"""Secrets change under jobs and calls, on real stores: nothing fails, old values are refused, a kill breaks nothing."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
import redis

from tests.integration.local.test_monitoring import monitored, require_monitoring
from tests.integration.tradebot import Tradebot
from tests.waiting import until
from tradebot_ops.clients.api import Api
from tradebot_ops.context import Ops
from tradebot_ops.errors import LoginRefused
from tradebot_ops.settings import Secret, load_settings

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("local-secrets")]

PORTS = {"alertmanager": 9093, "api": 8010, "postgres": 5432, "prometheus": 9090, "redis": 6379}
PORTS |= {"postgres-exporter": 9187, "redis-exporter": 9121}
NAMES = (
    "alert_token",
    "alertmanager_password",
    "api_key",
    "grafana_admin_password",
    "postgres_app_password",
    "postgres_exporter_password",
    "postgres_password",
    "prometheus_password",
    "redis_exporter_password",
    "redis_password",
)
USERS = {
    "postgres_app_password": "tradebot_app",
    "postgres_exporter_password": "exporter",
    "postgres_password": "tradebot",
}
PAGES = {"alertmanager_password": "/api/v2/status", "prometheus_password": "/api/v1/status/flags"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tradebot]:
    project = monitored(tmp_path_factory.mktemp("secrets") / "home", WORKER_REPLICAS="1")
    try:
        project.ok("up", timeout=300)
        require_monitoring(project)
        yield project
    finally:
        project.clean()


def value(stack: Tradebot, name: str) -> str:
    return (stack.state / "secrets" / name).read_text().strip()


def address(stack: Tradebot, service: str) -> tuple[str, int]:
    flags = {"project": stack.project, "engine": stack.engine}
    found = Ops(load_settings(flags, stack.environment(), stack.cwd)).engine.endpoint(service, PORTS[service])
    return found.host, found.port


def logs_in(stack: Tradebot, name: str, secret: str) -> bool:
    """Whether a new connection is let in with this value."""
    try:
        if name.startswith("redis"):
            host, port = address(stack, "redis")
            user = "exporter" if "exporter" in name else None
            return bool(redis.Redis(host=host, port=port, username=user, password=secret).ping())
        if name in USERS:
            host, port = address(stack, "postgres")
            psycopg.connect(host=host, port=port, user=USERS[name], password=secret, dbname="tradebot").close()
            return True
        if name in PAGES:
            host, port = address(stack, name.partition("_")[0])
            return httpx.get(f"http://{host}:{port}{PAGES[name]}", auth=("tradebot", secret)).status_code == 200
        host, port = address(stack, "api")
        api = Api(f"http://{host}:{port}", Secret(secret))
        if name == "api_key":
            api.prunable(1e9, ["succeeded"])
        else:
            api.check_alert_token(Secret(secret))
    except (LoginRefused, redis.AuthenticationError, psycopg.OperationalError):
        return False
    return True


def drop_connections(stack: Tradebot) -> None:
    """So that every service has to log in anew."""
    host, port = address(stack, "postgres")
    owner = value(stack, "postgres_password")
    if (begun := stack.state / "secrets" / ".postgres_password.rotating").is_file():
        owner = json.loads(begun.read_text())["new"]  # Postgres has it already
    with psycopg.connect(host=host, port=port, user="tradebot", password=owner, dbname="tradebot") as admin:
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'tradebot_app'")
    host, port = address(stack, "redis")
    client = redis.Redis(host=host, port=port, password=value(stack, "redis_password"))
    client.client_kill_filter(_type="normal", skipme=True)


def works(stack: Tradebot) -> None:
    """A job goes all the way over connections made just now; until they are, the API asks for patience."""
    drop_connections(stack)

    def submitted() -> str:
        done = stack.run("jobs", "submit", "canary", "--json")
        assert done.returncode == 0 or "try again in" in done.stdout, done.stdout
        return "" if done.returncode else str(json.loads(done.stdout)["data"]["id"])

    job = until(submitted, "a job is taken", 30)
    assert stack.ended(job)["state"] == "succeeded"


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


KILLED = """
import os, signal, sys
from tradebot_ops.operations.rotation import pending, readers, ways
from tradebot_ops.clients import postgres_session, redis as client
from tradebot_ops.cli.main import app
from typer.main import get_command

left = int(sys.argv.pop(1))


def counted(function):
    def call(*words, **options):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*words, **options)

    return call


ways.overwrite = counted(ways.overwrite)
readers.overwrite = counted(readers.overwrite)
readers.restart = counted(readers.restart)
client.Redis.take_passwords = counted(client.Redis.take_passwords)
postgres_session.Session.set_password = counted(postgres_session.Session.set_password)
pending.Journal.finish = counted(pending.Journal.finish)
get_command(app).main(sys.argv[1:])
"""


#: Each way a secret changes, killed at each of its steps. CI runs those of which each leaves another thing half done.
STEPS = {
    "redis_password": range(1, 7),
    "postgres_app_password": range(1, 5),
    "postgres_password": (2,),
    "redis_exporter_password": (4, 5),
    "postgres_exporter_password": (2, 3),
    "alertmanager_password": (1, 2),
    "api_key": (1, 2),
}
SAMPLE = {
    ("redis_password", 2),
    ("redis_password", 4),
    ("redis_password", 6),
    ("postgres_app_password", 1),
    ("postgres_app_password", 3),
    ("postgres_password", 2),
    ("redis_exporter_password", 4),
    ("postgres_exporter_password", 3),
    ("alertmanager_password", 2),
    ("api_key", 1),
}


def killed(name: str, step: int) -> object:
    return pytest.param(name, step, marks=[] if (name, step) in SAMPLE else pytest.mark.drill)


@pytest.mark.parametrize(("name", "step"), [killed(name, step) for name, steps in STEPS.items() for step in steps])
def test_killed_at_any_step_the_stack_works_and_the_same_command_finishes(
    stack: Tradebot, tmp_path: Path, name: str, step: int
) -> None:
    before = value(stack, name)
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    words = [
        sys.executable,
        str(script),
        str(step),
        "-p",
        stack.project,
        "--engine",
        "local",
        "secrets",
        "rotate",
        name,
    ]
    done = subprocess.run(words, cwd=stack.cwd, env=stack.environment(), capture_output=True, text=True, check=False)
    assert done.returncode == -9, done.stderr
    works(stack)
    again = stack.run("secrets", "check", "--json")
    assert (again.returncode, f"secrets rotate {name}" in again.stdout) == (1, True)
    stack.ok("secrets", "rotate", name)
    assert logs_in(stack, name, value(stack, name))
    assert not logs_in(stack, name, before)
    assert [path.name for path in (stack.state / "secrets").glob(".*")] == []
    works(stack)


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
