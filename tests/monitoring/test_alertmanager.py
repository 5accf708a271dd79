"""Channels appear in the receivers only when they are configured."""

import pytest
import yaml

from tradebot_ops.errors import OpsError
from tradebot_ops.monitoring.alertmanager import channels, channels_of, check_url, with_channels
from tradebot_ops.monitoring.routes import receivers as receivers_of

BASE = """\
# keep me
route:
  receiver: store
  routes: [{receiver: critical}, {receiver: warning}, {receiver: info}]
receivers:
  - name: store
  - name: critical
  - name: warning
  - name: info
"""
OWN = """\
# Quiet at night.
time_intervals:
- name: night   # ours
  time_intervals:
  - times:
    - {start_time: 22:00, end_time: "24:00"}
global: {smtp_require_tls: yes, smtp_hello: 'on'}

route: {receiver: critical, mute_time_intervals: [night]}
receivers:
- name: critical
  webhook_configs:
"""


def receivers(settings: dict[str, str]) -> dict[str, set[str]]:
    document = yaml.safe_load(with_channels(BASE, channels(settings)))
    return {receiver["name"]: set(receiver) - {"name"} for receiver in document["receivers"]}


def test_without_channels_the_file_is_untouched() -> None:
    assert with_channels(BASE, channels({})) == BASE
    assert with_channels(BASE, channels({"ALERT_PAGERDUTY": "off", "ALERT_SLACK_CHANNEL": ""})) == BASE


def test_people_are_called_for_critical_alerts_only() -> None:
    found = receivers({"ALERT_PAGERDUTY": "on", "ALERT_OPSGENIE": "yes", "ALERT_SLACK_CHANNEL": "#a"})
    assert found["critical"] == {"pagerduty_configs", "opsgenie_configs", "slack_configs"}
    assert found["warning"] == {"slack_configs"}
    assert found["info"] == found["store"] == set()


def test_secrets_are_named_not_written() -> None:
    chosen = channels({"ALERT_SLACK_CHANNEL": "#a", "ALERT_OPSGENIE": "1"})
    assert chosen.names == ("slack", "opsgenie")
    assert set(chosen.secret_files) == {"slack_webhook_url", "opsgenie_api_key"}


def test_mail_logs_in_only_where_a_user_is_named() -> None:
    mail = {"ALERT_EMAIL_TO": "a@b.c", "ALERT_EMAIL_FROM": "d@b.c", "ALERT_EMAIL_SMARTHOST": "m:25"}
    assert channels(mail).secret_files == ()
    assert channels(mail | {"ALERT_EMAIL_USERNAME": "u"}).secret_files == ("smtp_password",)


@pytest.mark.parametrize("name", ["ALERT_PAGERDUTY", "ALERT_OPSGENIE", "ALERT_WEBHOOK"])
def test_a_channel_is_on_or_off_and_nothing_else(name: str) -> None:
    assert [receivers({name: word}) == receivers({}) for word in ("ON", "true", "0", "")] == [False, False, True, True]
    with pytest.raises(OpsError) as caught:
        channels({name: "maybe"})
    assert (caught.value.code, caught.value.hint) == ("TB-0851", f"Set {name} in .env to on or off.")
    assert caught.value.message.startswith(f"{name}: 'maybe' is neither on nor off; write one of on, ")


def test_mail_by_halves_is_refused() -> None:
    with pytest.raises(OpsError, match="ALERT_EMAIL_SMARTHOST is not") as caught:
        channels({"ALERT_EMAIL_TO": "a@b.c", "ALERT_EMAIL_FROM": "d@b.c"})
    assert caught.value.code == "TB-0851"


@pytest.mark.parametrize("value", ["", "hooks.example.org/x", "ftp://x/y", "https://", "http://hooks.example.org/x"])
def test_wrong_slack_url_is_refused(value: str) -> None:
    with pytest.raises(OpsError, match="slack_webhook_url"):
        check_url("slack_webhook_url", value)


def test_right_urls_pass() -> None:
    check_url("slack_webhook_url", "https://hooks.example.org/services/x\n")
    check_url("alert_webhook_url", "http://127.0.0.1:9/x")


def test_channels_are_read_back_from_a_configuration() -> None:
    assert channels_of(BASE) == {"critical": {}, "warning": {}, "info": {}}
    chosen = channels({"ALERT_SLACK_CHANNEL": "#a", "ALERT_PAGERDUTY": "on"})
    assert channels_of(with_channels(BASE, chosen)) == {
        "critical": {"slack": 1, "pagerduty": 1},
        "warning": {"slack": 1},
        "info": {},
    }


def test_what_is_not_changed_stays_as_it_is_written() -> None:
    text = with_channels(OWN, channels({"ALERT_WEBHOOK": "on"}))
    kept, _, added = text.partition("  webhook_configs:")
    assert kept == OWN.partition("  webhook_configs:")[0]
    assert "url_file: /run/secrets/alert_webhook_url" in added


@pytest.mark.parametrize(
    "receivers", ["", "receivers:\n", "receivers: [{name: oncall}]\n", "receivers: [{name: critical}]\n"]
)
def test_a_channel_that_reaches_nobody_is_refused(receivers: str) -> None:
    with pytest.raises(OpsError, match="Webhook would reach nobody") as caught:
        with_channels(f"route: {{receiver: oncall}}\n{receivers}", channels({"ALERT_WEBHOOK": "on"}))
    assert caught.value.code == "TB-0855"


@pytest.mark.parametrize("text", ["a: [", "- a list", ""])
def test_what_is_no_configuration_is_refused(text: str) -> None:
    with pytest.raises(OpsError, match=r"alertmanager\.yml is not") as caught:
        with_channels(text, channels({"ALERT_WEBHOOK": "on"}))
    assert caught.value.code == "TB-0856"


@pytest.mark.parametrize("text", ["", "receivers:\n", "receivers: [{name: critical, slack_configs: }]\nroute:\n"])
def test_a_list_that_is_null_is_empty(text: str) -> None:
    assert not any(channels_of(text).values())
    assert all(kinds == () for kinds in receivers_of(text, {"severity": "critical"}).values())
