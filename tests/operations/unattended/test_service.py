"""A unit is written, enabled where systemd runs, and taken away; Docker needs none."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.operations.test_change import world
from tests.operations.unattended.test_systemd import asked, fake
from tradebot_ops.audit.chain import BEGAN, Entry
from tradebot_ops.audit.log import AuditLog
from tradebot_ops.context import Ops
from tradebot_ops.engines.inspection import EngineInfo
from tradebot_ops.engines.local.observing.boot import Places
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Level, Report
from tradebot_ops.operations.unattended import service

NAME = "tradebot-demo.service"


@pytest.fixture(autouse=True)
def where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    """No folder of this machine, and a user who lingers."""
    made = Places(tmp_path / "etc", tmp_path / ".config" / "systemd" / "user", tmp_path / "ana")
    made.linger.touch()
    monkeypatch.setattr(service, "places", lambda _home: made)
    return made


def ops(tmp_path: Path, state: str = "running", **more: str) -> Ops:
    return world(tmp_path, **fake(tmp_path, state), **more)


def data(report: Report) -> dict[str, Any]:
    assert isinstance(report.data, dict)
    return dict(report.data)


def test_it_is_written_and_enabled(tmp_path: Path, where: Places) -> None:
    report = service.install(ops(tmp_path))
    found = data(report)
    assert (found["changed"], found["enabled"], found["lingers"]) == (True, True, True)
    assert report.findings == ()
    text = (where.user / NAME).read_text()
    assert text == found["text"] == service.unit(ops(tmp_path), system=False).text()
    assert "up --no-canary --quiet\n" in text
    assert "TimeoutStopSec=90\n" in text, "three services of ten seconds each, and what `down` takes itself"
    assert asked(tmp_path) == ["--user is-system-running", "--user daemon-reload", f"--user enable {NAME}"]


def test_a_second_time_changes_nothing(tmp_path: Path, where: Places) -> None:
    service.install(ops(tmp_path))
    before = (where.user / NAME).stat()
    again = service.install(ops(tmp_path))
    assert data(again)["changed"] is False
    assert (where.user / NAME).stat().st_mtime_ns == before.st_mtime_ns
    assert "stays as it was" in again.sections[0].lines[0]


def test_settings_that_changed_are_written_anew(tmp_path: Path) -> None:
    service.install(ops(tmp_path))
    again = service.install(ops(tmp_path, WORKER_REPLICAS="4"))
    assert data(again)["changed"] is True
    assert "Environment=WORKER_REPLICAS=4\n" in data(again)["text"]


def test_where_systemd_does_not_run_it_says_what_to_type(tmp_path: Path, where: Places) -> None:
    report = service.install(ops(tmp_path, "offline"))
    assert (where.user / NAME).exists()
    assert data(report)["enabled"] is False
    (finding,) = report.findings
    assert (finding.level, finding.id) == (Level.WARN, "service.systemd")
    assert finding.hint == f"Where it runs: systemctl --user daemon-reload; systemctl --user enable {NAME}"
    assert finding.message == "systemd does not run here for this user, so nothing starts the unit."
    assert report.exit_code == 0


def test_who_does_not_linger_is_told(tmp_path: Path, where: Places) -> None:
    where.linger.unlink()
    (finding,) = service.install(ops(tmp_path)).findings
    assert (finding.level, finding.hint) == (Level.WARN, "sudo loginctl enable-linger ana")
    assert finding.message == "It starts when ana logs in, and not before: ana does not linger."


def test_a_system_unit_of_root(tmp_path: Path, where: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    where.linger.unlink()
    found = data(service.install(ops(tmp_path, "offline"), system=True))
    assert found["unit"] == str(where.system / NAME)
    assert "User=root\n" in found["text"]
    assert found["lingers"] is None
    (finding,) = service.install(ops(tmp_path, "offline"), system=True).findings
    assert finding.hint == f"Where it runs: sudo systemctl daemon-reload; sudo systemctl enable {NAME}"


@pytest.mark.parametrize(("uid", "sudo", "why"), [(1000, "", "root's to write"), (0, "ana", "instead of ana's")])
def test_a_system_unit_of_somebody_else_is_refused(
    uid: int, sudo: str, why: str, tmp_path: Path, where: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    with pytest.raises(OpsError) as caught:
        service.install(ops(tmp_path, **({"SUDO_USER": sudo} if sudo else {})), system=True)
    assert caught.value.code == "TB-0928"
    assert why in caught.value.message
    assert not where.system.exists()


def test_to_show_it_writes_nothing(tmp_path: Path, where: Places) -> None:
    found = data(service.shown(ops(tmp_path), system=True))
    assert found["unit"] == str(where.system / NAME)
    assert not where.system.exists()
    assert not where.user.exists()


@pytest.mark.parametrize("state", ["running", "offline"])
def test_it_is_removed_with_its_links(state: str, tmp_path: Path, where: Places) -> None:
    service.install(ops(tmp_path))
    report = service.remove(ops(tmp_path, state))
    assert data(report)["removed"] is True
    assert [path for path in where.user.rglob("*") if not path.is_dir()] == []


def test_none_to_remove(tmp_path: Path) -> None:
    report = service.remove(ops(tmp_path))
    assert data(report)["removed"] is False
    assert not (tmp_path / "asked").exists()


class Docker(StubEngine):
    """Docker, as far as it matters here."""

    name = "docker"
    starts: bool | None = True

    def inspected(self) -> tuple[()]:
        return ()

    def info(self) -> EngineInfo:
        return EngineInfo("docker", "1", "x", 1, 1, "/", True, starts_at_boot=self.starts, boot_evidence="/x")


@pytest.mark.parametrize(
    ("starts", "restart", "levels"),
    [
        (True, "unless-stopped", []),
        (True, "no", [Level.FAIL]),
        (False, "always", [Level.FAIL]),
        (None, "always", [Level.WARN]),
    ],
)
def test_docker_does_it_by_itself(starts: bool | None, restart: str, levels: list[Level], tmp_path: Path) -> None:
    engine = Docker("demo")
    engine.starts = starts
    base = ops(tmp_path)
    compose = tmp_path / "compose.yaml"
    text = compose.read_text().replace("command: [store]", f'command: [store]\n    restart: "{restart}"')
    compose.write_text(text)
    report = service.install(Ops(base.settings, engine, base.clock))
    assert [finding.level for finding in report.findings] == levels
    assert data(report) == {
        "unit": None,
        "engine_starts_at_boot": starts,
        "without_restart": ["store"] if restart == "no" else [],
    }
    assert len(report.sections[0].lines) == (2 if starts else 1)
    assert not (tmp_path / "asked").exists()


def test_what_is_missing_on_docker_is_named(tmp_path: Path) -> None:
    engine = Docker("demo")
    engine.starts = False
    base = ops(tmp_path)
    docker, restart = service.install(Ops(base.settings, engine, base.clock)).findings
    assert docker.message == "Nothing starts Docker when the host boots: /x."
    assert docker.hint == "sudo systemctl enable --now docker"
    assert restart.message == "These do not come back after a reboot: store."
    assert restart.anchor == "compose.yaml#restart"


def test_each_is_one_line_of_the_audit_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    world_ = ops(tmp_path)
    service.install(world_)
    service.remove(world_)
    service.install(world_, system=True)
    entries = [Entry.read(line) for line in AuditLog(world_.state.folder).read().splitlines()]
    assert [(each.command, *each.arguments) for each in entries if each and each.event == BEGAN] == [
        ("service install",),
        ("service remove",),
        ("service install", "--system"),
    ]


def test_the_hosts_manager_is_asked_for_a_system_unit(
    tmp_path: Path, where: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    service.install(ops(tmp_path), system=True)
    removed = data(service.remove(ops(tmp_path), system=True))
    assert removed == {"unit": str(where.system / NAME), "removed": True}
    assert asked(tmp_path) == [
        "is-system-running",
        "daemon-reload",
        f"enable {NAME}",
        "is-system-running",
        f"disable {NAME}",
        "daemon-reload",
    ]
    assert not (where.system / NAME).exists()
