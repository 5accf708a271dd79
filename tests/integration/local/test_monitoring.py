"""Prometheus, Alertmanager and the exporters beside a real stack on the local engine, through the commands."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.config.test_dashboard import PANELS
from tests.integration.local.conftest import ports
from tests.integration.readiness import assert_ready
from tests.integration.tradebot import Tradebot
from tests.paths import ROOT
from tests.waiting import free_port, until

pytestmark = [
    pytest.mark.integration,
    pytest.mark.xdist_group("local-monitoring"),
    pytest.mark.timeout(420),
]

RULES = ROOT / "config/prometheus/rules"
#: Two scrapes, a refresh of the discovery, and a little.
SOON = 60.0


def monitored(home: Path, **environ: str) -> Tradebot:
    """A project with monitoring."""
    own = {"PROMETHEUS_PORT": str(free_port()), "ALERTMANAGER_PORT": str(free_port())}
    return Tradebot(home, environ={**ports(), **own, "TRADEBOT_PROFILES": "monitoring", **environ})


def require_monitoring(project: Tradebot) -> None:
    """Skip where this host can fetch no programs for it; in CI they must be there."""
    missing = [row for row in project.status().values() if row["state"] == "unavailable"]
    missing = [row for row in missing if row["service"] != "grafana"]
    if missing and not os.environ.get("CI"):
        pytest.skip(missing[0]["detail"])
    assert missing == []


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tradebot]:
    project = monitored(tmp_path_factory.mktemp("monitoring") / "home", WORKER_REPLICAS="2")
    try:
        project.ok("up", timeout=300)
        require_monitoring(project)
        yield project
    finally:
        project.clean()


def targets(stack: Tradebot) -> dict[str, str]:
    """Health by instance."""
    document = json.loads(stack.run("monitoring", "targets", "--json").stdout)
    return {target["instance"]: target["health"] for target in document["data"]}


def workers(stack: Tradebot) -> list[str]:
    return sorted(name for name, health in targets(stack).items() if name.startswith("worker") and health == "up")


def values(stack: Tradebot, expression: str) -> list[float]:
    found = stack.json("query", expression)["series"]
    return [point for series in found for _, point in series["points"] if point is not None]


def test_everything_that_can_run_here_runs_and_grafana_is_named(stack: Tradebot) -> None:
    states = stack.states()
    monitoring = ("prometheus", "alertmanager", "node-exporter", "redis-exporter", "postgres-exporter")
    assert {states[f"{name}-1"] for name in monitoring} == {"ready"}
    assert states["grafana-1"] == "unavailable"
    done = stack.run("status")
    assert done.returncode == 0
    # Said by the `up` that found it; here it is a row, and heads nothing.
    assert "WARN" not in done.stdout
    assert "Grafana is in no package" in " ".join(done.stdout.split())


def test_every_target_is_up(stack: Tradebot) -> None:
    expected = {
        "api:8010", "worker-1", "worker-2", "redis-exporter:9121", "postgres-exporter:9187", "node-exporter:9100",
        "prometheus:9090", "alertmanager:9093",
    }  # fmt: skip
    until(lambda: targets(stack) == dict.fromkeys(expected, "up"), "every target is up", SOON)


def test_prometheus_misses_no_folder_where_there_is_no_bot(stack: Tradebot) -> None:
    """It watches folders for targets, and complains every five seconds of one that is not there."""
    until(lambda: values(stack, "process_start_time_seconds < time() - 10"), "Prometheus has looked twice", SOON)
    assert "file watch" not in stack.ok("logs", "prometheus", "--level", "error")


def test_every_rule_evaluates(stack: Tradebot) -> None:
    def healthy() -> bool:
        done = stack.run("monitoring", "rules", "--json")
        rules = json.loads(done.stdout)["data"]
        alerts = [rule for rule in rules if rule["kind"] == "alerting"]
        return done.returncode == 0 and len(alerts) >= 20 and {rule["health"] for rule in rules} == {"ok"}

    until(healthy, "every rule evaluates", SOON)


def panels() -> list[Any]:
    """Those of every stack; others are of a bot, and none is watched here."""
    return [
        (panel["title"], target["expr"].replace("$__rate_interval", "1m"))
        for panel in PANELS
        for target in panel["targets"]
    ]


def test_every_panel_has_data_once_jobs_ran(stack: Tradebot) -> None:
    """Counters are scraped before and after the job: what happened before the first scrape is no increase."""
    until(lambda: values(stack, 'count_over_time(up{job="worker"}[5m]) > 2'), "three scrapes of a worker", SOON)
    waiting = dict.fromkeys(panels())

    def filled() -> bool:
        stack.ok("jobs", "submit", "canary", "--wait")
        for title, expression in list(waiting):
            if values(stack, expression):
                del waiting[title, expression]
        return not waiting

    try:
        until(filled, "data", 120)
    except AssertionError:
        pytest.fail(f"no data: {list(waiting)}")


def test_lint_asks_for_the_data_of_every_panel(stack: Tradebot) -> None:
    found = stack.json("dashboards", "lint")
    assert (found["asked"], found["panels"]) == (True, 18)
    stack.ok("stop", "prometheus")
    try:
        found = stack.json("dashboards", "lint")
        assert found["asked"] is False
        assert "Prometheus" in found["why_not_asked"]
    finally:
        stack.ok("monitoring", "start")


def test_an_api_that_is_away_takes_no_picture_away(stack: Tradebot) -> None:
    until(lambda: values(stack, "sum(worker_active)") == [2.0], "both workers were scraped", SOON)
    stack.ok("stop", "api")
    try:
        done = stack.run("dash", "--once")
        assert done.returncode == 0
        assert "Prometheus was asked instead" in " ".join(done.stdout.split())
        found = stack.json("dash")
        assert found["direct"] is True
        assert len(found["panels"]) == 12, "no bot is watched"
        assert {panel["title"]: panel["value"] for panel in found["panels"]}["Active Workers"] == 2
    finally:
        stack.ok("start")


def test_contract_holds_against_what_prometheus_has(stack: Tradebot) -> None:
    """Everything, once all was scraped and Watchdog arrived; other tests stop and start what it looks at."""
    found = {"absent": ["not asked yet"]}

    def clean() -> bool:
        found.update(json.loads(stack.run("metrics", "contract", "--live", "--json").stdout)["data"])
        return not any(found[what] for what in ("broken", "absent", "unseen"))

    try:
        until(clean, "the contract holds", 150)
    except AssertionError:
        pytest.fail(f"not so: {found}")


def test_contract_does_not_pass_what_it_cannot_look_at(stack: Tradebot) -> None:
    stack.ok("stop", "redis-exporter")
    try:
        until(lambda: targets(stack).get("redis-exporter:9121") == "down", "it is seen down", SOON)
        done = stack.run("metrics", "contract", "--live", "--json")
        assert done.returncode == 1
        found = json.loads(done.stdout)
        assert (found["data"]["unseen"], found["data"]["absent"]) == (["redis"], [])
        assert "no target of redis" in found["errors"][0]["message"]
    finally:
        stack.ok("monitoring", "start")
    until(lambda: targets(stack).get("redis-exporter:9121") == "up", "it is seen up", SOON)


def test_an_alert_goes_all_the_way_and_back(stack: Tradebot) -> None:
    hops = {hop["name"]: hop["seconds"] for hop in stack.json("alerts", "test")["hops"]}
    assert hops["API stores it"] < 15
    assert hops["API stores the end"] < 30
    stored = stack.json("alerts", "history", "SyntheticAlert")["alerts"]
    assert [alert["status"] for alert in stored[:2]] == ["resolved", "firing"]


def test_the_dead_mans_switch_is_watched(stack: Tradebot) -> None:
    """Its repeats are what counts, not its first arrival."""

    def beat() -> dict[str, str]:
        found = stack.json("alerts", "history", "Watchdog")["alerts"]
        return dict(found[0]) if found else {"received_at": "", "last_received_at": ""}

    until(lambda: beat()["last_received_at"] > beat()["received_at"], "it was repeated", 120)
    assert "Watchdog" not in {alert["name"] for alert in stack.json("alerts", "history")["alerts"]}
    said = stack.json("monitoring", "status")["watchdog"]["watchdog"]
    assert said.startswith("arrived ")
    assert said.endswith(" s ago")


def test_targets_follow_scaling_exactly(stack: Tradebot) -> None:
    stack.ok("scale", "workers", "6")
    six = [f"worker-{number}" for number in range(1, 7)]
    until(lambda: workers(stack) == six, "six worker targets", SOON)
    until(lambda: values(stack, "tradebot_workers_desired") == [6.0], "six are desired", SOON)
    stack.ok("scale", "workers", "2")
    until(lambda: workers(stack) == ["worker-1", "worker-2"], "two worker targets", SOON)
    until(lambda: values(stack, 'count(up{job="worker"})') == [2.0], "two series of up", SOON)
    until(lambda: values(stack, "tradebot_workers_desired") == [2.0], "two are desired", SOON)
    assert [target for target in targets(stack) if target.startswith("worker")] == ["worker-1", "worker-2"]
    names = {alert["name"] for alert in stack.json("alerts", "list")["alerts"] if alert["state"] == "firing"}
    assert not names & {"WorkersBelowDesired", "WorkerInstanceDown", "NoWorkersAvailable"}


def test_nobody_gets_in_without_the_password(stack: Tradebot) -> None:
    status = stack.status()
    for service, port in (("prometheus", "9090"), ("alertmanager", "9093")):
        base = f"http://{status[f'{service}-1']['published'][port]}"
        assert httpx.get(f"{base}/-/ready", trust_env=False).status_code == 401
        assert httpx.get(f"{base}/-/ready", auth=("admin", "admin"), trust_env=False).status_code == 401


def test_exporters_may_look_and_nothing_else(stack: Tradebot) -> None:
    import psycopg
    import redis

    known = json.loads((stack.state / "ports.json").read_text())
    secrets = stack.state / "secrets"
    password = (secrets / "redis_exporter_password").read_text().strip()
    client = redis.Redis(port=known["redis-1"]["6379"], username="exporter", password=password)
    assert client.info()["redis_version"]
    for forbidden in (("GET", "tradebot:workers:desired"), ("FLUSHALL",), ("KEYS", "*")):
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.execute_command(*forbidden)
    password = (secrets / "postgres_exporter_password").read_text().strip()
    address = f"postgresql://exporter:{password}@127.0.0.1:{known['postgres-1']['5432']}/tradebot"
    with psycopg.connect(address) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SELECT * FROM job")


def test_a_second_up_changes_nothing(stack: Tradebot) -> None:
    before = {name: row["pid"] for name, row in stack.status().items()}
    assert "Nothing to change" in stack.ok("up")
    assert {name: row["pid"] for name, row in stack.status().items()} == before


def test_bad_promql_shows_where(stack: Tradebot) -> None:
    done = stack.run("query", "sum(up")
    assert done.returncode == 1
    assert "unclosed left parenthesis" in done.stderr
    assert "^" in done.stderr


def test_a_silence_needs_an_end_and_a_reason(stack: Tradebot) -> None:
    assert stack.run("alerts", "silence", "HighCPUUsage", "-m", "test").returncode == 2
    assert stack.run("alerts", "silence", "HighCPUUsage", "--for", "1h").returncode == 2
    made = stack.json("alerts", "silence", "HighCPUUsage", "--for", "1h", "-m", "test")["id"]
    assert made in [silence["id"] for silence in stack.json("alerts", "list")["silences"]]
    done = stack.run("alerts", "silence", "HighCpuUsage", "--for", "1m", "-m", "test")
    assert done.returncode == 0
    assert "Did you mean `HighCPUUsage`?" in done.stdout
    assert stack.run("alerts", "silence", "HighCPUUsage", "--for", "99999999w", "-m", "test").returncode == 2
    stack.ok("alerts", "unsilence", made[:8])
    assert made not in [silence["id"] for silence in stack.json("alerts", "list")["silences"]]


def test_a_service_that_hangs_or_is_down_is_named_in_time(stack: Tradebot) -> None:
    import psutil

    process = psutil.Process(stack.pid("alertmanager-1"))
    process.suspend()
    try:
        started = time.monotonic()
        done = stack.run("alerts", "list")
        assert time.monotonic() - started < 12
        assert done.returncode == 5
        assert "Alertmanager" in done.stderr
    finally:
        process.resume()
    stack.ok("stop", "prometheus")
    try:
        done = stack.run("query", "up")
        assert done.returncode == 5
        assert "Prometheus" in done.stderr
        assert stack.run("monitoring", "status").returncode == 5
    finally:
        stack.ok("monitoring", "start")
    assert stack.states()["prometheus-1"] == "ready"


def test_a_broken_rule_is_shown_with_its_line_and_the_running_ones_stay(tmp_path: Path) -> None:
    """On a stack of its own: the files are edited."""
    folder = tmp_path / "stack"
    project = monitored(tmp_path / "home", WORKER_REPLICAS="1")
    try:
        project.ok("init", str(folder))
        project.cwd = folder
        project.ok("up", "--no-canary", timeout=300)
        if project.states()["prometheus-1"] == "unavailable" and not os.environ.get("CI"):
            pytest.skip(project.status()["prometheus-1"]["detail"])
        rules = folder / "config/prometheus/rules/redis.yml"
        good = rules.read_text()
        pid = project.pid("prometheus-1")
        rules.write_text(good.replace("expr: ", "expr: sum((", 1))
        for command in (("monitoring", "reload"), ("up", "--no-canary")):
            done = project.run(*command)
            assert done.returncode == 8
            assert "redis.yml, line " in done.stderr.replace("\n", " ")
            assert "RedisDown" in {rule["name"] for rule in project.json("monitoring", "rules")}
        for command, name in ((("monitoring", "reload"), "RedisAway"), (("up", "--no-canary"), "RedisGone")):
            rules.write_text(good.replace("alert: RedisDown", f"alert: {name}", 1))
            project.ok(*command)
            loaded = {rule["name"] for rule in project.json("monitoring", "rules")}
            assert {"RedisDown", "RedisAway", "RedisGone"} & loaded == {name}
        assert project.pid("prometheus-1") == pid
        _a_configuration_that_only_alertmanager_refuses(project, folder)
    finally:
        project.clean()


def _a_configuration_that_only_alertmanager_refuses(project: Tradebot, folder: Path) -> None:
    """The checker does not look whether certificates are there. Every `up` says it, not only the first."""
    config = folder / "config/alertmanager/alertmanager.yml"
    good = config.read_text()
    config.write_text(good.replace("http_config:", "http_config:\n          tls_config: {ca_file: /nowhere.pem}", 1))
    for command in (("up", "--no-canary"), ("up", "--no-canary"), ("monitoring", "reload")):
        done = project.run(*command)
        assert done.returncode == 8
        said = " ".join((done.stdout + done.stderr).split())
        assert "everything runs as described" not in said
        assert "Alertmanager refused its new configuration; what it had before is in force." in said
        assert project.suggested("logs alertmanager") in said
    assert project.json("monitoring", "status")["alertmanager"]["its configuration"] == "the last reload failed"
    config.write_text(good)
    project.ok("up", "--no-canary")
    assert project.json("monitoring", "status")["alertmanager"]["its configuration"] != "the last reload failed"


def test_without_programs_and_mirror_the_core_runs_and_says_what_is_missing(tmp_path: Path) -> None:
    """Nothing on PATH, nothing in the cache, and a mirror that does not answer."""
    nowhere = f"http://127.0.0.1:{free_port()}/debian"
    project = monitored(
        tmp_path / "home", WORKER_REPLICAS="1", XDG_CACHE_HOME=str(tmp_path / "cache"),
        TRADEBOT_DEBIAN_MIRROR=nowhere, PATH="/usr/bin:/bin",
    )  # fmt: skip
    try:
        done = project.run("up", timeout=300)
        assert done.returncode == 0, done.stderr
        said = " ".join(done.stdout.split())
        assert "prometheus is unavailable" in said
        assert "apt-get install" in said
        states = project.states()
        assert states["api-1"] == states["worker-1"] == "ready"
        assert states["prometheus-1"] == states["node-exporter-1"] == "unavailable"
        assert project.run("status").returncode == 0
    finally:
        project.clean()


def test_prod_check_finds_nothing_that_fails_on_a_healthy_stack(stack: Tradebot) -> None:
    assert_ready(stack)
