"""Connections are tried by an interpreter inside the replica; names outside come from the configuration."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Replica, State
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import NotRunning, OpsError
from tradebot_ops.facts.access import connections
from tradebot_ops.facts.access.connections import _CONNECT
from tradebot_ops.facts.fact import NotApplicable, Skip
from tradebot_ops.settings import load_settings
from tradebot_ops.stack.model import Mount, MountKind, Service, Stack

CONFIG = """
global: {smtp_smarthost: "mail.example.org:587"}
receivers:
  - name: store
    webhook_configs: [{url: "http://api:8010/alerts/webhook"}]
  - name: critical
    webhook_configs: [{url_file: /run/secrets/alert_webhook_url}]
    pagerduty_configs: [{routing_key_file: /run/secrets/pagerduty_routing_key}]
    slack_configs: [{api_url: "https://hooks.example.com:8443/secret/path"}]
"""


def ops_with(tmp_path: Path, config: str) -> Ops:
    (tmp_path / "alertmanager.yml").write_text(config)
    mount = Mount(MountKind.BIND, str(tmp_path), "/etc/alertmanager", read_only=True)
    services = {"api": Service("api", "i", ()), "alertmanager": Service("alertmanager", "i", (), mounts=(mount,))}
    engine = StubEngine("demo")
    ops = Ops(load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(tmp_path)}, tmp_path), engine)
    ops.__dict__["stack"] = Stack("demo", tmp_path, (), services)
    engine.prepare(ops.stack, lambda *_: None)
    engine.apply(ops.stack, "api", 1)
    return ops


def test_names_outside_are_those_of_the_receivers_without_their_secrets(tmp_path: Path) -> None:
    ops = ops_with(tmp_path, CONFIG)
    secret = ops.secret_file("alert_webhook_url")
    secret.parent.mkdir(parents=True, exist_ok=True)
    secret.write_text("https://alerts.example.net/T0KEN\n")
    assert sorted(connections._external(ops)) == [
        "alerts.example.net:443:tls",
        "events.pagerduty.com:443:tls",
        "hooks.example.com:8443:tls",
        "mail.example.org:587",
    ]


def test_where_no_name_is_configured_there_is_nothing_to_look_at(tmp_path: Path) -> None:
    ops = ops_with(tmp_path, 'receivers: [{name: store, webhook_configs: [{url: "http://api:8010/x"}]}]')
    with pytest.raises(NotApplicable) as caught:
        connections.outside(ops, ops.engine.list())
    assert caught.value.answer.reason is Skip.ADAPTER


def test_who_cannot_be_asked_is_unknown_and_never_connected(tmp_path: Path) -> None:
    ops = ops_with(tmp_path, CONFIG)
    with pytest.raises(OpsError, match="did not answer"):  # the stub's replica has no Python
        connections.inside(ops, ops.engine.list())
    with pytest.raises(NotRunning):
        connections.inside(ops, (Replica("api", 1, "api-1", "api-1", State.EXITED),))


def test_the_script_connects_or_says_why_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        environ = os.environ | {"A_URL": f"redis://u@127.0.0.1:{port}/0"}
        words = ["A_URL", "NO_URL", f"127.0.0.1:{port}", "name.invalid:1"]
        done = subprocess.run(
            [sys.executable, "-c", _CONNECT, *words],
            env=environ,
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
    answers = json.loads(done.stdout)
    here = f"127.0.0.1:{port}"
    assert answers[:2] == [[here, ""], [here, ""]]
    assert answers[2][0] == "name.invalid:1"
    assert answers[2][1] != ""
