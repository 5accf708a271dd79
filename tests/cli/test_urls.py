"""``urls`` tells where to log in and where the password lies, and never the password."""

import json
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.cli.conftest import Run

STACK = """
services:
  api:
    image: api:1
    command: [api]
    environment: {API_KEY_FILE: /run/secrets/api_key}
    secrets: [api_key]
    ports: ["127.0.0.1:8010:8010"]
  prometheus:
    image: prometheus:1
    command: [prometheus]
    secrets: [prometheus_password]
    ports: ["127.0.0.1:9090:9090"]
  grafana:
    image: grafana:1
    command: [grafana]
    secrets: [grafana_admin_password]
    ports: ["127.0.0.1:3000:3000"]
secrets:
  api_key: {file: "${TRADEBOT_SECRETS}/api_key"}
  prometheus_password: {file: "${TRADEBOT_SECRETS}/prometheus_password"}
  grafana_admin_password: {file: "${TRADEBOT_SECRETS}/grafana_admin_password"}
"""
VIEWERS = (
    STACK.replace("secrets: [api_key]", "secrets: [api_key, viewers]").replace(
        "environment: {", "environment: {DASHBOARD_PASSWORD_FILE: /run/secrets/viewers, "
    )
    + "  viewers: {file: ./viewers_password}\n"
)


@pytest.fixture
def up(run: Run, tmp_path: Path) -> Run:
    (tmp_path / "compose.yaml").write_text(STACK)
    assert run("up", "--no-canary").exit_code == 0
    return run


@pytest.mark.parametrize("columns", [80, 200])
def test_logins_are_shown_without_their_secrets(
    up: Run, tmp_path: Path, columns: int, snapshot: SnapshotAssertion
) -> None:
    shown = up("urls", columns=columns)
    assert str(shown) == snapshot
    secrets = [file.read_text().strip() for file in (tmp_path / "state").rglob("secrets/*")]
    assert len(secrets) == 3
    assert not [secret for secret in secrets if secret in str(shown) + str(up("urls", "--json"))]


def test_json_names_the_file_and_the_user(up: Run) -> None:
    found = {row["name"]: row for row in json.loads(up("urls", "--json").stdout)["data"]}
    grafana = found["Grafana"]
    assert (grafana["user"], Path(grafana["secret_file"]).name) == ("admin", "grafana_admin_password")
    assert (found["Prometheus"]["user"], found["Dashboard"]["user"]) == ("tradebot", None)
    assert found["API metrics"]["secret_file"] is None


def test_a_dashboard_with_a_password_of_its_own(up: Run, tmp_path: Path) -> None:
    (tmp_path / "viewers_password").write_text("viewers only")
    (tmp_path / "compose.yaml").write_text(VIEWERS)
    found = {row["name"]: row for row in json.loads(up("urls", "--json").stdout)["data"]}
    assert found["Dashboard"]["secret_file"] == "<here>/viewers_password"
    assert Path(found["API"]["secret_file"]).name == "api_key"
    assert "<here>/viewers_password" in up("urls", columns=200).stdout
