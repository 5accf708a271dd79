"""A rotation of secrets on a running stack, on either engine: who is let in, whether jobs get through, a kill -9."""

import json
import subprocess
import sys
from pathlib import Path

import httpx
import psycopg
import redis

from tests.integration.tradebot import Tradebot
from tests.waiting import until
from tradebot_ops.clients.api import Api
from tradebot_ops.context import Ops
from tradebot_ops.errors import LoginRefused
from tradebot_ops.settings import Secret, load_settings

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


def finishes_after_a_kill(stack: Tradebot, folder: Path, name: str, step: int) -> None:
    """``secrets rotate`` is killed at this step: the stack works, and the same command finishes what it began."""
    before = value(stack, name)
    script = folder / "killed.py"
    script.write_text(KILLED)
    words = [sys.executable, str(script), str(step), "-p", stack.project, "--engine", stack.engine]
    words += ["secrets", "rotate", name]
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
