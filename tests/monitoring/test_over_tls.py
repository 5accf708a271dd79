"""The stack's own files of Prometheus and Alertmanager, asked over TLS where services answer so."""

import pytest
import yaml

from tests.paths import ROOT
from tradebot_ops.errors import OpsError
from tradebot_ops.monitoring import over_tls

PROMETHEUS = (ROOT / "config/prometheus/prometheus.yml").read_text(encoding="utf-8")
ALERTMANAGER = (ROOT / "config/alertmanager/alertmanager.yml").read_text(encoding="utf-8")
TLS = {"ca_file": "/run/secrets/tls_ca", "server_name": "localhost"}


def test_the_api_alone_is_scraped_over_tls() -> None:
    before = yaml.safe_load(PROMETHEUS)
    after = yaml.safe_load(over_tls.prometheus(PROMETHEUS, {"api"}, "localhost"))
    jobs = {job["job_name"]: job for job in after["scrape_configs"]}
    assert (jobs["api"].pop("scheme"), jobs["api"].pop("tls_config")) == ("https", TLS)
    assert after == before, "nothing else is changed"


def test_services_that_are_looked_up_and_alertmanagers_are_asked_so_too() -> None:
    found = yaml.safe_load(over_tls.prometheus(PROMETHEUS, {"grafana", "alertmanager"}, "example.com"))
    jobs = {job["job_name"]: job.get("scheme") for job in found["scrape_configs"]}
    assert {name for name, scheme in jobs.items() if scheme == "https"} == {"grafana", "alertmanager"}
    (asked,) = found["alerting"]["alertmanagers"]
    assert (asked["scheme"], asked["tls_config"]["server_name"]) == ("https", "example.com")
    assert asked["basic_auth"], "the login stays"


def test_what_somebody_wrote_about_tls_stays() -> None:
    text = "scrape_configs: [{job_name: a, static_configs: [{targets: ['api:1']}], tls_config: {server_name: mine}}]"
    (job,) = yaml.safe_load(over_tls.prometheus(text, {"api"}, "localhost"))["scrape_configs"]
    assert job["tls_config"] == {"ca_file": "/run/secrets/tls_ca", "server_name": "mine"}


def test_alerts_go_to_the_api_over_tls_and_to_others_as_before() -> None:
    text = ALERTMANAGER.replace("- name: critical", "- {name: x, webhook_configs: [{url: 'http://pager:1/'}]}", 1)
    found = yaml.safe_load(over_tls.alertmanager(text, {"api"}, "localhost"))
    hooks = {each["name"]: each["webhook_configs"][0] for each in found["receivers"] if "webhook_configs" in each}
    assert hooks["store"]["url"] == "https://api:8010/alerts/webhook"
    assert hooks["store"]["http_config"]["tls_config"] == TLS
    assert hooks["store"]["http_config"]["authorization"]["credentials_file"] == "/run/secrets/alert_token"
    assert hooks["x"] == {"url": "http://pager:1/"}


@pytest.mark.parametrize(("text", "why"), [("[", "is not YAML"), ("- a", "is not a mapping")])
def test_what_is_no_configuration(text: str, why: str) -> None:
    for change in (over_tls.prometheus, over_tls.alertmanager):
        with pytest.raises(OpsError, match=why) as raised:
            change(text, {"api"}, "localhost")
        assert raised.value.code == "TB-0863"
