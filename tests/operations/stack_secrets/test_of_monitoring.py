"""Secrets that are computed from others: Redis' users, and the hashes Prometheus and Alertmanager know."""

import json
from pathlib import Path
from typing import Any

import bcrypt
import yaml

from tests.paths import ROOT
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.operations import secrets
from tradebot_ops.settings import load_settings

MONITORING = ("prometheus", "alertmanager")


def test_all_are_made_once_and_fit_one_another(tmp_path: Path) -> None:
    settings = load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(tmp_path), "HOME": str(tmp_path)}, ROOT)
    ops = Ops(settings, StubEngine("demo"))
    made = secrets.ensure(ops.stack, ops.state)
    empty = {name for name, secret in ops.stack.secrets.items() if secret.derive == "certificate"}
    assert {(ops.state.secrets / name).read_text() for name in empty} == {""}, "until `tradebot tls` fills them"
    assert set(made) == set(ops.stack.secrets) - empty
    assert secrets.ensure(ops.stack, ops.state) == (), "a salted hash that fits is kept"
    read = {name: ops.secret(name).reveal() for name in made}
    for service in MONITORING:
        web = yaml.safe_load(read[f"{service}_web"])
        assert bcrypt.checkpw(read[f"{service}_password"].encode(), web["basic_auth_users"]["tradebot"].encode())
    assert json.loads(read["redis_exporter_login"]) == {"redis://exporter@redis:6379": read["redis_exporter_password"]}
    assert len(set(read.values())) == len(read)


def test_a_changed_password_changes_what_is_derived(tmp_path: Path) -> None:
    settings = load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(tmp_path), "HOME": str(tmp_path)}, ROOT)
    ops = Ops(settings, StubEngine("demo"))
    secrets.ensure(ops.stack, ops.state)
    ops.state.write("secrets/prometheus_password", "another")
    assert secrets.ensure(ops.stack, ops.state) == ("prometheus_web",)


def test_over_tls_both_pages_have_the_certificate_beside_them_and_the_hash_that_they_had(tmp_path: Path) -> None:
    def pages(scheme: str) -> dict[str, dict[str, Any]]:
        environ = {"TRADEBOT_STATE": str(tmp_path), "HOME": str(tmp_path), "MONITORING_SCHEME": scheme}
        ops = Ops(load_settings({"project": "demo"}, environ, ROOT), StubEngine("demo"))
        secrets.ensure(ops.stack, ops.state)
        return {name: yaml.safe_load((ops.state.secrets / f"{name}_web").read_text()) for name in MONITORING}

    before, secured = pages("http"), pages("https")
    for name in MONITORING:
        tls = secured[name].pop("tls_server_config")
        assert tls == {"cert_file": "tls_certificate", "key_file": "tls_key", "min_version": "TLS12"}
    assert secured == before, "the login stays"
    assert pages("http") == before


def test_the_exporter_of_redis_may_read_no_key() -> None:
    acl = secrets.redis_acl({"redis_password": "a", "redis_exporter_password": "b"}, "")
    (exporter,) = [line for line in acl.splitlines() if line.startswith("user exporter")]
    assert "-@all" in exporter
    assert "resetkeys" in exporter
    assert "~" not in exporter
