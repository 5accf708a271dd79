"""diag on a real stack: faults by fingerprint, a bundle without any of its secrets, and what changed since."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.integration.local.test_monitoring import monitored, values
from tests.integration.tradebot import Tradebot
from tests.waiting import until
from tradebot_ops.diagnostics.bundle import archive
from tradebot_ops.diagnostics.redaction import forms, parts

pytestmark = [
    pytest.mark.integration,
    pytest.mark.xdist_group("local-monitoring"),
    pytest.mark.timeout(420),
]
#: Stands in a settings file under a name that means a secret.
PLANTED = "pl4nted/in a+settings file"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tradebot]:
    folder = tmp_path_factory.mktemp("diag")
    project = monitored(folder / "home", WORKER_REPLICAS="2")
    project.cwd = folder
    (folder / ".env").write_text(f"BROKER_API_SECRET='{PLANTED}'\n")
    try:
        project.ok("up", timeout=300)
        yield project
    finally:
        project.clean()


def secrets(stack: Tradebot) -> list[str]:
    texts = [path.read_text() for path in (stack.state / "secrets").iterdir()]
    assert len(texts) >= 10
    return [PLANTED, *(value for text in texts for value in parts(text))]


def leaked(stack: Tradebot, text: str) -> list[str]:
    return [form for value in secrets(stack) for form in forms(value) if form in text]


def test_a_dead_job_and_what_was_logged_are_one_fault_each(stack: Tradebot) -> None:
    job = stack.submit("backtest", "symbol=NOSUCH", "strategy=sma_cross", "fast=10", "slow=30")
    assert stack.ended(job)["state"] == "dead"
    found = stack.json("diag", "errors", "--since", "10m")
    assert found["not_examined"] == {}
    dead = [each for each in found["faults"] if each["source"] == "job"]
    logged = [each for each in found["faults"] if each["source"] == "log" and each["service"] == "worker"]
    assert [each["count"] for each in dead] == [1]
    assert dead[0]["exception"]
    assert dead[0]["new"] is True
    assert logged
    jobs = stack.json("diag", "performance")["topics"]["performance"]["values"]["jobs"]
    assert re.fullmatch(r"\d+: waited .+, worked .+ on average; at most .+", jobs), jobs
    assert dead[0]["jobs"] == logged[0]["jobs"] == [job]


def _said_aloud(stack: Tradebot) -> bool:
    secret = (stack.state / "secrets" / "postgres_exporter_password").read_text().strip()
    port = json.loads((stack.state / "ports.json").read_text())["postgres-1"]["5432"]
    words = f"host=127.0.0.1 port={port} user=exporter dbname=tradebot password={secret}"
    with psycopg.connect(words, autocommit=True) as connection, pytest.raises(psycopg.Error):
        connection.execute(f"SELECT '{secret}' '{PLANTED}' broken")
    return secret in stack.ok("logs", "postgres", "--raw")


def test_no_secret_of_this_project_is_in_its_bundle(stack: Tradebot, tmp_path: Path) -> None:
    """Also one that a service repeats: a statement with a password lands in the log of Postgres."""
    until(lambda: values(stack, "worker_active"), "the first scrape", 60)
    said = until(lambda: _said_aloud(stack), "Postgres wrote it into its log", 20)
    assert said
    path = tmp_path / "bundle.tar.gz"
    shown = stack.ok("diag", "bundle", "--output-file", str(path))
    assert path.stat().st_mode & 0o777 == 0o600
    files = archive.read(path)
    assert leaked(stack, "\n".join(files.values()) + shown) == []
    manifest = stack.json("diag", "bundle")
    assert {row["collector"]: row["state"] for row in manifest["collectors"] if row["state"] == "failed"} == {}
    assert manifest["withheld"] == {}
    assert {"logs/api.log", "logs/postgres.log", "metrics.prom", "settings.json", "triage.json"} <= files.keys()
    assert "worker_active" in files["metrics.prom"]
    assert json.loads(files["triage.json"])["not_running"] == []
    assert json.loads(files["stores/redis.json"])["redis_version"]
    assert len(json.loads(files["replicas.json"])) >= 5


def test_what_changed_since_a_bundle(stack: Tradebot, tmp_path: Path) -> None:
    path = tmp_path / "before.tar.gz"
    stack.ok("diag", "bundle", "--output-file", str(path))
    stack.ok("scale", "workers", "3")
    found = {each["where"]: each for each in stack.json("diag", "diff", str(path))["differences"]}
    assert found["replicas.json worker-3 state"]["after"] == "running"
    assert found["configuration/replicas.json worker"]["after"] == "3"
    assert not [where for where in found if where.startswith(("settings.json", "replicas.json redis"))]


def test_sources_that_are_away_are_named_and_the_rest_is_there(stack: Tradebot, tmp_path: Path) -> None:
    stack.ok("stop", "postgres", "prometheus")
    try:
        errors = stack.json("diag", "errors")
        assert set(errors["not_examined"]) == {"API errors", "dead jobs", "alerts that fire", "alerts that are over"}
        path = tmp_path / "bundle.tar.gz"
        stack.run("diag", "bundle", "--output-file", str(path))
        states = json.loads(archive.read(path)["triage.json"])["collectors"]
        assert states["metrics"] == "failed"
        assert states["stores"] == "partial"
        assert states["logs"] == "ok"
        figures = {each["name"]: each for each in stack.json("kpi")["figures"]}
        assert figures["uptime"]["value"] is None
        assert "Prometheus" in figures["uptime"]["note"]
    finally:
        stack.ok("start", timeout=200)
    until(lambda: stack.run("status").returncode == 0, "all is well again", 60)
