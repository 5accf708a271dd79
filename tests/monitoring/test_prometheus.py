"""Prometheus' file for processes of this host."""

import json
from pathlib import Path, PurePath
from typing import Any

import pytest
import yaml

from tradebot_ops.errors import OpsError
from tradebot_ops.monitoring.prometheus import discovery_file, on_this_host

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
        present=SERVICES,
        discovery={"worker": "/state/workers.json"},
        folder=PurePath("/project/config/prometheus"),
    )
    return yaml.safe_load(text)


def job(name: str) -> dict[str, Any]:
    (found,) = [job for job in rendered()["scrape_configs"] if job["job_name"] == name]
    return found


def test_static_target_moves_and_keeps_its_name() -> None:
    assert job("api")["static_configs"] == [{"targets": ["127.0.0.1:8010"], "labels": {"instance": "api:8010"}}]


def test_workers_are_read_from_the_file_that_scaling_writes() -> None:
    assert job("worker")["file_sd_configs"] == [{"files": ["/state/workers.json"], "refresh_interval": "5s"}]
    assert "dns_sd_configs" not in job("worker")


def test_what_does_not_run_here_is_not_scraped() -> None:
    names = [job["job_name"] for job in rendered()["scrape_configs"]]
    assert names == ["api", "worker", "redis", "postgres", "node", "prometheus", "alertmanager"]


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
        on_this_host(text, rewrite=str, present=(), discovery={}, folder=PurePath("/"))
    assert caught.value.code == "TB-0850"
