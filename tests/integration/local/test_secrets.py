"""Secrets change under jobs and calls, on real stores: nothing fails, old values are refused, a kill breaks nothing."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from tests.integration.local.conftest import ports
from tests.integration.tradebot import Tradebot
from tests.waiting import until
from tradebot_ops.clients.api import Api
from tradebot_ops.context import Ops
from tradebot_ops.errors import LoginRefused
from tradebot_ops.settings import Secret, load_settings

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("local-secrets")]

PORTS = {"api": 8010, "postgres": 5432, "redis": 6379}
NAMES = ("alert_token", "api_key", "postgres_app_password", "redis_password")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tradebot]:
    project = Tradebot(tmp_path_factory.mktemp("secrets") / "home", environ=ports() | {"WORKER_REPLICAS": "1"})
    try:
        project.ok("up")
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
        if name == "redis_password":
            host, port = address(stack, "redis")
            return bool(redis.Redis(host=host, port=port, password=secret).ping())
        if name == "postgres_app_password":
            host, port = address(stack, "postgres")
            psycopg.connect(host=host, port=port, user="tradebot_app", password=secret, dbname="tradebot").close()
            return True
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
    assert {"postgres_password", "grafana_admin_password"} <= done["left"].keys()
    for name in NAMES:
        assert value(stack, name) != before[name]
        assert logs_in(stack, name, value(stack, name))
        assert not logs_in(stack, name, before[name]), name
    works(stack)
    assert stack.json("secrets", "check")["sound"]
    dead = stack.json("dlq", "list")
    assert not dead.get("groups"), dead


KILLED = """
import os, signal, sys
from tradebot_ops.operations.rotation import pending, ways
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
client.Redis.take_passwords = counted(client.Redis.take_passwords)
postgres_session.Session.set_password = counted(postgres_session.Session.set_password)
pending.Journal.finish = counted(pending.Journal.finish)
get_command(app).main(sys.argv[1:])
"""


@pytest.mark.parametrize(
    ("name", "step"),
    [
        *(("redis_password", step) for step in range(1, 7)),
        *(("postgres_app_password", step) for step in range(1, 5)),
        *(("api_key", step) for step in (1, 2)),
    ],
)
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


def test_what_cannot_change_is_refused_with_its_reason(stack: Tradebot) -> None:
    for name in ("postgres_password", "prometheus_password", "grafana_admin_password"):
        done = stack.run("secrets", "rotate", name)
        assert done.returncode == 9
        assert f"{name} cannot be changed while the stack works" in done.stderr
    assert stack.run("secrets", "rotate", "api_kee").returncode == 2
