"""The panels against a real Prometheus: every query of the dashboard is one it can read, and its faults have words."""

import asyncio
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from pydantic import SecretStr

from services.api.dashboard.definition import Definition, read_definition
from services.api.dashboard.panels import dashboard
from services.api.dashboard.prometheus import Prometheus
from services.api.dashboard.schemas import DashboardOut
from services.api.dashboard.window import window
from services.common.settings import DASHBOARD_FILE
from tests.integration.parts import Part, private_folder
from tests.programs import program
from tests.waiting import free_port, until

pytestmark = pytest.mark.integration

PASSWORD = "open-sesame"
#: bcrypt of the password, of the least cost: Prometheus computes it at every request.
LOGIN = "basic_auth_users: {tradebot: $2b$04$xGqEt7sst.s9G22dU5AmqeuSqyidRhKvFgkbQMZxJ0cuxanAfJcCm}\n"
CONFIG = """
global: {scrape_interval: 1s}
scrape_configs:
  - job_name: prometheus
    basic_auth: {username: tradebot, password: open-sesame}
    static_configs: [{targets: ["127.0.0.1:PORT"]}]
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Part]:
    """A Prometheus with a password that scrapes itself."""
    folder, port = private_folder("prometheus"), free_port()
    (folder / "prometheus.yml").write_text(CONFIG.replace("PORT", str(port)))
    (folder / "web.yml").write_text(LOGIN)
    command = [
        program("prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--web.config.file={folder / 'web.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    part = Part("prometheus", command, port, folder, lambda: _ready(port))
    try:
        part.start()
        yield part
    finally:
        part.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/-/ready", auth=("tradebot", PASSWORD)).status_code == 200
    except httpx.HTTPError:
        return False


def look(
    server: Part, definition: Definition | None = None, password: str = PASSWORD, timeout_s: float = 5.0
) -> DashboardOut:
    async def once() -> DashboardOut:
        client = Prometheus(f"http://127.0.0.1:{server.port}", "tradebot", SecretStr(password), timeout_s)
        try:
            shown = window(900, time.time())
            return await dashboard(definition or read_definition(DASHBOARD_FILE), client, shown, "15m")
        finally:
            await client.close()

    return asyncio.run(once())


def asking(expr: str) -> Definition:
    """The dashboard with one panel that asks this."""
    whole = read_definition(DASHBOARD_FILE)
    panel = whole.panels[4]
    return replace(whole, panels=(replace(panel, targets=(replace(panel.targets[0], expr=expr),)),))


def test_every_query_of_the_dashboard_is_read(server: Part) -> None:
    found = look(server)
    assert found.status == "ok", [panel.note for panel in found.panels]
    # Nothing of the stack runs here, so what is not there says so; what has a default gives it.
    assert (found.panels[0].title, found.panels[0].value, found.panels[0].level) == ("Active Workers", 0, "critical")
    assert {panel.status for panel in found.panels[1:]} == {"empty"}


def test_a_live_metric_is_fresh(server: Part) -> None:
    until(lambda: look(server, asking("up")).panels[0].series, "Prometheus has scraped itself")
    (panel,) = look(server, asking("up")).panels
    assert (panel.status, panel.age_s) == ("ok", 0)
    assert panel.series[0].values[-1] == 1


def test_a_mistake_is_told_in_prometheus_own_words(server: Part) -> None:
    (panel,) = look(server, asking("sum(up")).panels
    assert panel.status == "error"
    assert "parse error: unclosed left parenthesis" in panel.note


def test_a_wrong_password_is_named(server: Part) -> None:
    found = look(server, password="wrong")
    assert found.status == "unavailable"
    assert "Prometheus refused our password (PROMETHEUS_USER, PROMETHEUS_PASSWORD_FILE)" in found.note


def test_a_hung_prometheus_is_given_up(server: Part) -> None:
    server.pause()
    started = time.monotonic()
    try:
        found = look(server, timeout_s=1.0)
    finally:
        server.resume()
    assert time.monotonic() - started < 5, "all panels wait at the same time"
    assert found.status == "unavailable"
    assert "did not answer within 1 s" in found.note
