"""Channels: added from settings, their secrets beside the configuration, nothing written without need."""

import stat
from pathlib import Path

import pytest
import yaml

from tests.operations.seen import refusal
from tests.paths import ROOT
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.monitoring import channels
from tradebot_ops.settings import load_settings

URL = "https://hooks.slack.example/services/T/B/x"


def world(tmp_path: Path, **environ: str) -> Ops:
    settings = load_settings(
        {"project": "demo"}, {"TRADEBOT_STATE": str(tmp_path), "HOME": str(tmp_path), **environ}, ROOT
    )
    return Ops(settings, StubEngine("demo"))


def mounted(ops: Ops) -> str:
    return next(mount.source for mount in ops.stack.services["alertmanager"].mounts if mount.target == channels.INSIDE)


def test_without_channels_the_stacks_own_file_is_used(tmp_path: Path) -> None:
    ops = world(tmp_path)
    assert channels.ensure(ops) == ()
    assert mounted(ops) == str(ROOT / "config/alertmanager")


def test_a_channel_is_added_with_its_secret_beside_it(tmp_path: Path) -> None:
    ops = world(tmp_path, ALERT_SLACK_CHANNEL="#trading")
    ops.state.write("secrets/slack_webhook_url", URL)
    assert channels.ensure(ops) == ("slack",)
    folder = tmp_path / "demo/alertmanager"
    assert mounted(ops) == str(folder)
    config = yaml.safe_load((folder / "alertmanager.yml").read_text())
    (slack,) = next(r for r in config["receivers"] if r["name"] == "critical")["slack_configs"]
    assert slack["api_url_file"] == "/etc/alertmanager/slack_webhook_url"
    assert (folder / "slack_webhook_url").read_text() == URL
    assert URL not in (folder / "alertmanager.yml").read_text()
    assert stat.S_IMODE((tmp_path / "demo").stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "slack_webhook_url").stat().st_mode) == 0o444


def test_a_channel_switched_off_leaves_nothing(tmp_path: Path) -> None:
    ops = world(tmp_path, ALERT_SLACK_CHANNEL="#trading")
    ops.state.write("secrets/slack_webhook_url", URL)
    channels.ensure(ops)
    ops = world(tmp_path)
    channels.ensure(ops)
    assert not (tmp_path / "demo/alertmanager").exists()
    assert mounted(ops) == str(ROOT / "config/alertmanager")


@pytest.mark.parametrize(
    ("secret", "code"),
    [("", "TB-0853"), ("hooks.slack.com/services", "TB-0852"), ("http://plain.example/x", "TB-0852")],
)
def test_a_wrong_slack_url_is_refused_before_anything_is_written(tmp_path: Path, secret: str, code: str) -> None:
    ops = world(tmp_path, ALERT_SLACK_CHANNEL="#trading")
    if secret:
        ops.state.write("secrets/slack_webhook_url", secret)
    with pytest.raises(OpsError) as caught:
        channels.ensure(ops)
    assert caught.value.code == code
    assert not (tmp_path / "demo/alertmanager").exists()


def test_mail_by_halves_names_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(OpsError, match="ALERT_EMAIL_FROM") as caught:
        channels.ensure(world(tmp_path, ALERT_EMAIL_TO="ops@example.org"))
    assert caught.value.code == "TB-0851"


def test_refusals(tmp_path: Path) -> None:
    ops = world(tmp_path, ALERT_SLACK_CHANNEL="#trading")
    own = tmp_path / "alertmanager.yml"
    own.write_bytes(b"\xff")
    hint = "Mend the file, or take the settings ALERT_*, API_SCHEME and MONITORING_SCHEME away."
    secret = ops.state.secrets / "slack_webhook_url"
    seen = []
    for act in (
        lambda: channels.ensure(ops),
        lambda: channels._text(own),
        lambda: channels._text(tmp_path / "none"),
    ):
        with pytest.raises(OpsError) as caught:
            act()
        seen.append(refusal(caught.value))
    beginning = "A channel or TLS is switched on, and"
    assert seen == [
        (
            "TB-0853",
            "A channel is switched on, and its secret slack_webhook_url is missing.",
            f"Put it into the file {secret}, readable by you alone.",
        ),
        ("TB-0857", f"{beginning} {own} cannot be read: it is not UTF-8 text.", hint),
        ("TB-0857", f"{beginning} {tmp_path}/none cannot be read: No such file or directory.", hint),
    ]


@pytest.mark.parametrize("name", ["slack_webhook_url", "alert_webhook_url"])
def test_each_secret_that_is_an_address_is_looked_at(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("ftp://x\n")
    with pytest.raises(OpsError) as caught:
        channels._secret(tmp_path / name)
    assert caught.value.code == "TB-0852"
    (tmp_path / "smtp_password").write_text(" no address \n")
    assert channels._secret(tmp_path / "smtp_password") == "no address"
