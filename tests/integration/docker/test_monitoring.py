"""Prometheus, Alertmanager and the exporters beside a real stack in containers, through the commands."""

import re
from collections.abc import Iterator

import pytest

from tests.engines.docker.parts import require_docker
from tests.integration.docker.rig import MONITORING_IMAGES, NEEDED, api, clean, inspected, monitored
from tests.integration.local.test_monitoring import panels, targets, values
from tests.integration.readiness import assert_ready
from tests.integration.tradebot import Tradebot
from tests.waiting import until

pytestmark = [
    pytest.mark.integration,
    pytest.mark.docker,
    pytest.mark.xdist_group("docker-monitoring"),
    pytest.mark.timeout(420),
]

#: A refresh of the names, a scrape, and a little.
SOON = 75.0


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tradebot]:
    require_docker(*NEEDED, *MONITORING_IMAGES.values())
    made = monitored(tmp_path_factory.mktemp("monitoring") / "home")
    made.ok("up", timeout=300)
    yield made
    clean(made)


def workers_up(stack: Tradebot) -> int:
    """Under addresses, because Docker's names have no numbers."""
    found = targets(stack)
    return sum(health == "up" for replica, health in found.items() if replica.endswith(":9091"))


def test_every_target_is_up(stack: Tradebot) -> None:
    fixed = {
        "api:8010", "redis-exporter:9121", "postgres-exporter:9187", "node-exporter:9100", "prometheus:9090",
        "alertmanager:9093",
    }  # fmt: skip

    def up() -> bool:
        found = targets(stack)
        found.pop("grafana:3000", None)
        return set(found.values()) == {"up"} and fixed < found.keys() and workers_up(stack) == 2

    until(up, "every target is up", SOON)


def test_grafana_runs_or_is_reported_absent(stack: Tradebot) -> None:
    assert stack.states()["grafana-1"] in {"ready", "unavailable"}
    told = stack.run("status")
    assert told.returncode == 0
    # Debian has no package to build it from, unlike all others.
    assert "images build" not in told.stdout
    assert stack.states()["grafana-1"] == "ready" or "grafana is unavailable: " in told.stdout


@pytest.mark.parametrize("service", ["prometheus", "alertmanager"])
def test_its_health_check_says_healthy_and_shows_nobody_the_password(stack: Tradebot, service: str) -> None:
    name = f"{stack.project}-{service}-1"
    password = (stack.state / "secrets" / f"{service}_password").read_text().strip()
    until(lambda: inspected(name)["State"]["Health"]["Status"] == "healthy", "healthy", SOON)
    script = inspected(name)["Config"]["Healthcheck"]["Test"][1]
    with api() as engine:
        # Traced, the shell writes every command line as others would see it: each word whole, but those of the two ends
        # of a pipe in any order.
        made = engine.exec_create(name, ["sh", "-xc", script])["Id"]
        lines = engine.exec_start(made).decode()
        assert engine.exec_inspect(made)["ExitCode"] == 0, lines
    assert re.search(r"http://127\.0\.0\.1:\d+/-/ready", lines)
    assert password not in lines


def test_every_panel_has_data_once_jobs_ran(stack: Tradebot) -> None:
    until(lambda: values(stack, 'count_over_time(up{job="worker"}[5m]) > 2'), "three scrapes of a worker", SOON)
    waiting = dict.fromkeys(panels())

    def filled() -> bool:
        stack.ok("jobs", "submit", "canary", "--wait")
        for title, expression in list(waiting):
            if values(stack, expression):
                del waiting[title, expression]
        return not waiting

    until(filled, "data in every panel", 120)


def test_contract_holds_against_what_prometheus_has(stack: Tradebot) -> None:
    """Once all was scraped and Watchdog arrived."""
    until(lambda: stack.run("metrics", "contract", "--live").returncode == 0, "the contract holds", 150)


def test_an_alert_goes_all_the_way_and_back(stack: Tradebot) -> None:
    hops = {hop["name"]: hop["seconds"] for hop in stack.json("alerts", "test")["hops"]}
    assert hops["API stores it"] < 15
    assert hops["API stores the end"] < 30


def test_passwords_of_the_monitoring_change_and_everything_is_seen_still(stack: Tradebot) -> None:
    """Containers have each file mounted by itself, and users of their own read it."""
    names = [f"{name}_password" for name in ("alertmanager", "postgres_exporter", "prometheus", "redis_exporter")]
    done = stack.json("secrets", "rotate", *names)
    assert [each["name"] for each in done["rotated"]] == names
    asked = "min(redis_up) + min(pg_up) + count(up == 1)"
    expected = 2.0 + len([name for name in targets(stack) if not name.startswith("grafana")])
    delivered = (
        "sum(increase(prometheus_notifications_sent_total[45s])) > 0"
        " and sum(increase(prometheus_notifications_errors_total[45s])) == 0"
    )
    since = values(stack, "vector(time())")[0]
    until(
        lambda: values(stack, "min(timestamp(up))")[0] > since + 15 and values(stack, asked) == [expected],
        "all is scraped after the change, and both exporters see their stores",
        2 * SOON,
    )
    until(lambda: values(stack, delivered), "alerts are delivered", SOON)
    assert "Nothing to change" in stack.run("plan").stdout


def test_targets_follow_scaling_exactly(stack: Tradebot) -> None:
    stack.ok("scale", "workers", "6")
    until(lambda: workers_up(stack) == 6 and values(stack, 'count(up{job="worker"})') == [6.0], "six targets", SOON)
    stack.ok("scale", "workers", "2")
    until(lambda: workers_up(stack) == 2 and values(stack, 'count(up{job="worker"})') == [2.0], "two targets", SOON)
    until(lambda: values(stack, "tradebot_workers_desired") == [2.0], "two are desired", SOON)
    assert {"worker-1", "worker-2"} <= {target["replica"] for target in stack.json("monitoring", "targets")}


def test_reloading_restarts_nothing(stack: Tradebot) -> None:
    before = stack.status()["prometheus-1"]["started_at"]
    stack.ok("monitoring", "reload")
    assert stack.status()["prometheus-1"]["started_at"] == before


def test_prod_check_finds_nothing_that_fails_on_a_healthy_stack(stack: Tradebot) -> None:
    assert_ready(stack)
