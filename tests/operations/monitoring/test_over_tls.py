"""Copies of the monitoring's configuration while the API answers over TLS, and none while it does not."""

from pathlib import Path

import pytest
import yaml

from tests.operations.seen import refusal
from tests.paths import ROOT
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.monitoring import configuration, copied, over_tls
from tradebot_ops.settings import load_settings


def world(tmp_path: Path, cwd: Path = ROOT, **environ: str) -> Ops:
    given = {"TRADEBOT_STATE": str(tmp_path), "HOME": str(tmp_path), **environ}
    return Ops(load_settings({"project": "demo"}, given, cwd), StubEngine("demo"))


def mounted(ops: Ops, service: str) -> Path:
    mounts = ops.stack.services[service].mounts
    return next(Path(mount.source) for mount in mounts if mount.target == f"/etc/{service}")


def test_in_the_clear_the_stacks_own_folders_are_used(tmp_path: Path) -> None:
    ops = world(tmp_path)
    configuration.ensure(ops)
    assert {mounted(ops, name) for name in ("prometheus", "alertmanager")} == {
        ROOT / "config/prometheus", ROOT / "config/alertmanager",
    }  # fmt: skip
    assert not [*tmp_path.rglob("*.yml")]
    assert ops.trust("api") is None


def test_over_tls_both_have_a_copy_with_all_that_the_folder_has(tmp_path: Path) -> None:
    ops = world(tmp_path, API_SCHEME="https", TLS_NAME="trading.example.com")
    (tmp_path / "demo").mkdir(mode=0o755)  # as another release or a person made it
    configuration.ensure(ops)
    folder = mounted(ops, "prometheus")
    assert folder == tmp_path / "demo/prometheus"
    own = ROOT / "config/prometheus"
    assert {each.relative_to(folder) for each in folder.rglob("*")} == {
        each.relative_to(own) for each in own.rglob("*")
    }
    assert (folder / "rules/api.yml").read_text() == (own / "rules/api.yml").read_text()
    assert {each.stat().st_mode & 0o777 for each in folder.rglob("*.yml")} == {0o444}
    assert (folder / "rules").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "demo").stat().st_mode & 0o777 == 0o700
    jobs = yaml.safe_load((folder / "prometheus.yml").read_text())["scrape_configs"]
    api = next(job for job in jobs if job["job_name"] == "api")
    assert (api["scheme"], api["tls_config"]["server_name"]) == ("https", "trading.example.com")
    alerts = (mounted(ops, "alertmanager") / "alertmanager.yml").read_text()
    assert "https://api:8010/alerts/webhook" in alerts
    trust = ops.trust("api")
    assert trust
    assert (trust.ca, trust.name) == (ops.state.secrets / "tls_ca", "trading.example.com")


def test_the_monitoring_over_tls_is_asked_so_by_prometheus_and_no_other_service_is(tmp_path: Path) -> None:
    ops = world(tmp_path, MONITORING_SCHEME="https")
    configuration.ensure(ops)
    config = yaml.safe_load((mounted(ops, "prometheus") / "prometheus.yml").read_text())
    secured = {job["job_name"] for job in config["scrape_configs"] if job.get("scheme") == "https"}
    assert secured == {"prometheus", "alertmanager", "grafana"}
    assert [each["scheme"] for each in config["alerting"]["alertmanagers"]] == ["https"]
    assert ops.trust("api") is None
    for name in secured:
        trust = ops.trust(name)
        assert trust
        assert (trust.ca, trust.name) == (ops.state.secrets / "tls_ca", "localhost")


def test_what_went_from_the_folder_goes_from_the_copy_and_all_of_it_with_tls(tmp_path: Path) -> None:
    ops = world(tmp_path, API_SCHEME="https")
    configuration.ensure(ops)
    stray = tmp_path / "demo/prometheus/rules/old.yml"
    stray.write_text("{}")
    configuration.ensure(world(tmp_path, API_SCHEME="https"))
    assert not stray.exists()
    configuration.ensure(world(tmp_path))
    assert not (tmp_path / "demo/prometheus").exists()
    assert not (tmp_path / "demo/alertmanager").exists()


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "own/config/prometheus"
    folder.mkdir(parents=True)
    (tmp_path / "own/compose.yaml").write_text((ROOT / "compose.yaml").read_text())
    (folder / "prometheus.yml").write_bytes(b"\xff")
    with pytest.raises(OpsError, match=r"prometheus\.yml cannot be read: it is not UTF-8 text") as raised:
        over_tls.ensure(world(tmp_path, tmp_path / "own", API_SCHEME="https"))
    assert raised.value.code == "TB-0864"


@pytest.mark.parametrize("content", [b"\xff", None])
def test_what_to_do_about_a_file_that_cannot_be_read(tmp_path: Path, content: bytes | None) -> None:
    own = tmp_path / "own"
    own.mkdir()
    if content is None:
        (own / "gone.yml").symlink_to(own / "nowhere")
    else:
        (own / "gone.yml").write_bytes(content)
    with pytest.raises(OpsError) as raised:
        over_tls._texts(own)
    reason = "No such file or directory" if content is None else "it is not UTF-8 text"
    assert refusal(raised.value) == (
        "TB-0864",
        f"Services are to answer over TLS, and {own}/gone.yml cannot be read: {reason}.",
        "Mend the file, or take the settings away: tradebot config unset API_SCHEME MONITORING_SCHEME",
    )


def test_a_stack_without_prometheus_has_the_rest_of_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "own/config/prometheus/rules"
    folder.mkdir(parents=True)
    (tmp_path / "own/compose.yaml").write_text((ROOT / "compose.yaml").read_text())
    (folder / "a.yaml").write_text("groups: []")
    (folder / "notes.txt").write_text("none of it")
    over_tls.ensure(world(tmp_path, tmp_path / "own", API_SCHEME="https"))
    copy = tmp_path / "demo/prometheus"
    assert [str(each.relative_to(copy)) for each in copy.rglob("*") if each.is_file()] == ["rules/a.yaml"]


def test_a_copy_that_is_not_there_is_gone_already(tmp_path: Path) -> None:
    copied.remove(tmp_path / "none")
    (tmp_path / "file").touch()
    copied.remove(tmp_path / "file")
    assert (tmp_path / "file").exists()


def test_a_state_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    environ = {"TRADEBOT_STATE": str(tmp_path / "file"), "HOME": str(tmp_path)}
    ops = Ops(load_settings({"project": "demo"}, environ, ROOT), StubEngine("demo"))
    with pytest.raises(OpsError, match="Cannot write ") as caught:
        copied.write(ops, ops.state.folder / "prometheus", {Path("prometheus.yml"): "{}"})
    assert caught.value.code == "TB-0802"
