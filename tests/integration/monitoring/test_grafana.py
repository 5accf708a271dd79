"""Grafana itself, for whoever has its image: `.venv/bin/pytest -m grafana`.

No package of Debian and no registry of CI offers it, so that this is the one test that is skipped there, too.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from tests.config.test_dashboard import DASHBOARD, PANELS
from tests.engines.docker.parts import absent_images, require_docker
from tests.integration.docker.rig import MONITORING_IMAGES, NEEDED, clean, monitored
from tests.integration.tradebot import Tradebot
from tests.paths import ROOT
from tests.waiting import free_port, until

pytestmark = [
    pytest.mark.integration,
    pytest.mark.docker,
    pytest.mark.grafana,
    pytest.mark.xdist_group("grafana"),
    pytest.mark.timeout(420),
]


def image() -> str:
    """The pinned release: the default of the variable that names it."""
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    return str(services["grafana"]["image"]).partition(":-")[2].rstrip("}")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tradebot]:
    if absent_images(image()):
        pytest.skip(f"Grafana's image is not on this machine: docker pull {image()}")
    require_docker(*NEEDED, *MONITORING_IMAGES.values())
    made = monitored(tmp_path_factory.mktemp("grafana") / "home")
    made.environ["GRAFANA_PORT"] = str(free_port())
    made.ok("up", timeout=300)
    yield made
    clean(made)


@pytest.fixture(scope="module")
def grafana(stack: Tradebot) -> Iterator[httpx.Client]:
    password = (Path(stack.state) / "secrets" / "grafana_admin_password").read_text().strip()
    address = f"http://127.0.0.1:{stack.environ['GRAFANA_PORT']}"
    with httpx.Client(base_url=address, auth=("admin", password), timeout=30) as client:
        yield client


def test_only_the_generated_password_logs_in(grafana: httpx.Client) -> None:
    assert grafana.get("/api/org").status_code == 200
    assert grafana.get("/api/org", auth=("admin", "admin")).status_code == 401
    assert httpx.get(f"{grafana.base_url}/api/org", timeout=30).status_code == 401


def test_the_data_source_reaches_prometheus(grafana: httpx.Client) -> None:
    answer = grafana.get("/api/datasources/uid/prometheus/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "OK"), answer.text


def test_the_dashboard_is_provisioned_whole(grafana: httpx.Client) -> None:
    shown = grafana.get(f"/api/dashboards/uid/{DASHBOARD['uid']}").json()["dashboard"]
    assert [panel["title"] for panel in shown["panels"]] == [panel["title"] for panel in DASHBOARD["panels"]]


def test_every_query_of_every_panel_is_answered_through_grafana(stack: Tradebot, grafana: httpx.Client) -> None:
    waiting = [target for panel in PANELS for target in panel["targets"]]

    def answered() -> bool:
        stack.ok("jobs", "submit", "canary", "--wait")
        waiting[:] = [target for target in waiting if not _points(grafana, target)]
        return not waiting

    until(answered, "data in every panel", 150)


def test_prod_check_finds_its_dashboard_shown(stack: Tradebot) -> None:
    checks = json.loads(stack.run("prod-check", "--only", "MON-07", "--json").stdout)["data"]["checks"]
    assert [check["state"] for check in checks] == ["pass"]


def _points(grafana: httpx.Client, target: dict[str, object]) -> int:
    """Values that Grafana's own query gives for the last hour."""
    query = {**target, "maxDataPoints": 100, "intervalMs": 15_000}
    answer = grafana.post("/api/ds/query", json={"queries": [query], "from": "now-1h", "to": "now"})
    assert answer.status_code == 200, answer.text
    frames = answer.json()["results"][target["refId"]]["frames"]
    return sum(len(frame["data"]["values"][0]) for frame in frames if frame["data"]["values"])
