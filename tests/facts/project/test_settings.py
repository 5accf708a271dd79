"""What is known, well formed and filled in among what somebody wrote."""

from pathlib import Path

import pytest

from tests.paths import ROOT
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.facts.project import settings
from tradebot_ops.settings import load_settings


def ops(folder: Path, env_file: str) -> Ops:
    (folder / ".env").write_text(env_file, encoding="utf-8")
    flags = {"files": [str(ROOT / "compose.yaml")], "env_file": ".env"}
    return Ops(load_settings(flags, {"TRADEBOT_STATE": str(folder / "state")}, folder), StubEngine("demo"))


def test_unknown_names_and_wrong_values_are_told_apart(tmp_path: Path) -> None:
    text = "WORKER_REPLICS=3\nWORKER_REPLICAS=many\nAPP_IMAGE=mine:1\nREDIS_MEMORY_LIMIT=2gb\nCOMPOSE_PROFILES=x\n"
    found = {each.name: each for each in settings.written(ops(tmp_path, text)).written}
    assert found["WORKER_REPLICS"].unknown
    assert found["WORKER_REPLICS"].meant == "Did you mean `WORKER_REPLICAS`?"
    assert "whole number" in found["WORKER_REPLICAS"].problem
    known = ("APP_IMAGE", "REDIS_MEMORY_LIMIT", "COMPOSE_PROFILES", "WORKER_REPLICAS")
    assert not any(found[name].unknown for name in known)


def test_what_the_description_cannot_do_without(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(
        "services:\n  a: {image: '${IMAGE:?name it}', command: ['${OTHER:-x}', '$$NOT']}\n  # ${COMMENT:?no}\n"
    )
    (tmp_path / ".env").write_text("")
    lacking = Ops(load_settings({}, {"TRADEBOT_STATE": str(tmp_path)}, tmp_path), StubEngine("demo"))
    assert settings.written(lacking).missing == ("IMAGE",)


def test_secrets_that_were_not_made_yet(tmp_path: Path) -> None:
    found = ops(tmp_path, "")
    assert "api_key" in settings.written(found).secrets
    found.state.write("secrets/api_key", "x")
    assert "api_key" not in settings.written(found).secrets


@pytest.mark.parametrize("value", ["changeme", "CHANGE_ME", "<your key>", "your-token-here", "xxxx", "todo"])
def test_placeholders_are_found_in_any_setting(tmp_path: Path, value: str) -> None:
    assert settings.placeholders(ops(tmp_path, f'ALERT_EMAIL_TO="{value}"\n')).found == ("ALERT_EMAIL_TO (.env)",)


@pytest.mark.parametrize("value", ["admin", "password", "12345", "postgres"])
def test_words_that_are_fine_as_a_name_are_none_as_a_secret(tmp_path: Path, value: str) -> None:
    found = ops(tmp_path, f"ALERT_EMAIL_USERNAME={value}\n")
    assert settings.placeholders(found).found == ()
    found.state.write("secrets/api_key", value)
    found.state.write("secrets/alert_token", "S3kN0fXlY7wq9v-2Lr4tZbQm1cHd6eUa")
    assert settings.placeholders(found).found == ("secret api_key",)
    assert value not in str(settings.placeholders(found))


def test_an_empty_secret_is_a_placeholder_unless_it_is_computed(tmp_path: Path) -> None:
    found = ops(tmp_path, "")
    for name in ("api_key", "tls_certificate", "tls_key", "tls_ca"):
        found.state.write(f"secrets/{name}", "")
    assert settings.placeholders(found).found == ("secret api_key",)
    found.state.write("secrets/tls_key", "changeme")
    assert settings.placeholders(found).found == ("secret api_key", "secret tls_key")
