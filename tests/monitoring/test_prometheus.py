"""Prometheus' file for processes of this host."""

import json
import subprocess
from pathlib import Path, PurePath
from typing import Any

import pytest
import yaml

from tests.programs import program
from tradebot_ops.errors import OpsError
from tradebot_ops.monitoring.prometheus import BOTS, BOTS_PORT, discovery_file, on_this_host

FILE = Path(__file__).parents[2] / "config/prometheus/prometheus.yml"
SERVICES = {"api", "worker", "redis-exporter", "postgres-exporter", "node-exporter", "prometheus", "alertmanager"}


def rewrite(text: str) -> str:
    host, _, port = text.partition(":")
    if host in SERVICES and port.isdigit():
        return f"127.0.0.1:{port}"
    return text.replace("/run/secrets/", "/state/secrets/")


def rendered() -> dict[str, Any]:
    text = on_this_host(
        FILE.read_text(),
        rewrite=rewrite,
        absent={"grafana"},
        discovery={"worker": "/state/workers.json", BOTS: "/state/bots/*.json"},
        folder=PurePath("/project/config/prometheus"),
    ).text
    return yaml.safe_load(text)


def job(name: str) -> dict[str, Any]:
    (found,) = [job for job in rendered()["scrape_configs"] if job["job_name"] == name]
    return found


def test_static_target_moves_and_keeps_its_name() -> None:
    assert job("api")["static_configs"] == [{"targets": ["127.0.0.1:8010"], "labels": {"instance": "api:8010"}}]


def test_workers_are_read_from_the_file_that_scaling_writes() -> None:
    assert job("worker")["file_sd_configs"] == [{"files": ["/state/workers.json"], "refresh_interval": "5s"}]
    assert "dns_sd_configs" not in job("worker")


def test_bots_of_the_users_own_are_read_from_the_files_of_their_alias() -> None:
    (written,) = [job for job in yaml.safe_load(FILE.read_text())["scrape_configs"] if job["job_name"] == "bots"]
    (looked_up,) = written["dns_sd_configs"]
    assert (looked_up["names"], looked_up["port"]) == ([BOTS], int(BOTS_PORT))
    assert job("bots")["file_sd_configs"] == [{"files": ["/state/bots/*.json"], "refresh_interval": "5s"}]


def test_what_does_not_run_here_is_not_scraped() -> None:
    names = [job["job_name"] for job in rendered()["scrape_configs"]]
    assert names == ["api", "worker", "redis", "postgres", "node", "prometheus", "alertmanager", "bots"]


def test_secrets_rules_and_alertmanager_are_those_of_this_host() -> None:
    config = rendered()
    assert job("prometheus")["basic_auth"]["password_file"] == "/state/secrets/prometheus_password"
    assert config["rule_files"] == ["/project/config/prometheus/rules/*.yml"]
    (alertmanager,) = config["alerting"]["alertmanagers"]
    assert alertmanager["static_configs"] == [{"targets": ["127.0.0.1:9093"]}]
    assert config["global"] == yaml.safe_load(FILE.read_text())["global"]


def test_discovery_file_names_each_replica() -> None:
    groups = json.loads(discovery_file({"worker-2": "127.0.0.1:19091", "worker-1": "127.0.0.1:9091"}))
    assert groups[0] == {"targets": ["127.0.0.1:9091"], "labels": {"instance": "worker-1"}}
    assert len(groups) == 2
    assert json.loads(discovery_file({})) == []


@pytest.mark.parametrize("text", ["a: [", "- a list"])
def test_broken_file_is_refused(text: str) -> None:
    with pytest.raises(OpsError, match=r"prometheus\.yml is not") as caught:
        on_this_host(text, rewrite=str, absent=(), discovery={}, folder=PurePath("/"))
    assert caught.value.code == "TB-0850"


def render(jobs: str) -> tuple[list[dict[str, Any]], list[str]]:
    found = on_this_host(
        f"scrape_configs:\n{jobs}",
        rewrite=rewrite,
        absent={"grafana"},
        discovery={"worker": "/state/workers.json"},
        folder=PurePath("/"),
    )
    return yaml.safe_load(found.text)["scrape_configs"], [line for _, line in found.left_out]


def test_targets_that_are_no_service_stay_as_they_are_and_labels_are_kept() -> None:
    jobs, left_out = render("""
  - job_name: own
    static_configs:
      - targets: ["localhost:9090", "192.0.2.7:9100", "api:8010"]
        labels: {team: blue}
  - job_name: named
    static_configs: [{targets: ["api:8010"], labels: {instance: mine}}]
  - job_name: bots
    dns_sd_configs: [{names: [bots.example.org], type: A, port: 1}]
""")
    assert jobs[0]["static_configs"] == [
        {"targets": ["localhost:9090"], "labels": {"team": "blue"}},
        {"targets": ["192.0.2.7:9100"], "labels": {"team": "blue"}},
        {"targets": ["127.0.0.1:8010"], "labels": {"team": "blue", "instance": "api:8010"}},
    ]
    assert jobs[1]["static_configs"] == [{"targets": ["127.0.0.1:8010"], "labels": {"instance": "mine"}}]
    assert jobs[2]["dns_sd_configs"] == [{"names": ["bots.example.org"], "type": "A", "port": 1}]
    assert left_out == []


def test_what_is_left_out_is_said() -> None:
    jobs, left_out = render("""
  - job_name: two
    static_configs: [{targets: ["grafana:3000", "api:8010"]}]
  - job_name: gone
    static_configs: [{targets: ["grafana:3000"]}]
    relabel_configs: [{target_label: a, replacement: b}]
  - job_name: looked-up
    dns_sd_configs: [{names: [grafana, worker], port: 1}]
""")
    assert [job["job_name"] for job in jobs] == ["two", "looked-up"]
    assert jobs[0]["static_configs"] == [{"targets": ["127.0.0.1:8010"], "labels": {"instance": "api:8010"}}]
    assert jobs[1]["file_sd_configs"] == [{"files": ["/state/workers.json"], "refresh_interval": "5s"}]
    assert left_out == [
        "grafana:3000 of the job two is not scraped: grafana does not run here",
        "grafana:3000 of the job gone is not scraped: grafana does not run here",
        "grafana of the job looked-up is not scraped: grafana does not run here",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "rule_files:\n  # - rules/*.yml\nscrape_configs:\nalerting:\n",
        "scrape_configs: [{job_name: a, static_configs: , dns_sd_configs: }]",
        "scrape_configs: [{job_name: a, static_configs: [{targets: , labels: }]}]",
    ],
)
def test_a_list_that_is_null_is_empty(text: str, tmp_path: Path) -> None:
    found = on_this_host(text, rewrite=str, absent=(), discovery={}, folder=PurePath("/")).text
    written = [tmp_path / "written.yml", tmp_path / "rendered.yml"]
    for file, content in zip(written, (text, found), strict=True):
        file.write_text(content)
        done = subprocess.run([program("promtool"), "check", "config", str(file)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
