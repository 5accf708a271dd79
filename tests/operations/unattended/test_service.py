"""A unit is written, enabled where systemd runs, and taken away; Docker needs none."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.seen import refusal, whole
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
    assert (finding.level, finding.id) == (Level.WARN, "service.linger")
    assert finding.hint == "sudo loginctl enable-linger ana"
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


@pytest.mark.parametrize(
    ("uid", "sudo", "why"),
    [
        (1000, "", "it is root's to write"),
        (1000, "root", "it is root's to write"),
        (0, "ana", "sudo would make it root's project instead of ana's"),
    ],
)
def test_a_system_unit_of_somebody_else_is_refused(
    uid: int, sudo: str, why: str, tmp_path: Path, where: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    with pytest.raises(OpsError) as caught:
        service.install(ops(tmp_path, **({"SUDO_USER": sudo} if sudo else {})), system=True)
    piped = "tradebot service install --system --print | sudo tee /etc/systemd/system/tradebot-demo.service"
    hint = f"{piped}; sudo systemctl enable tradebot-demo.service"
    assert refusal(caught.value) == ("TB-0928", f"A system unit was not written: {why}.", hint)
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


def test_one_that_was_left_by_somebody_else_is_theirs_to_remove(
    tmp_path: Path, where: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    where.system.mkdir()
    (where.system / NAME).write_text("theirs")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(OpsError, match="it is root's to write"):
        service.remove(ops(tmp_path), system=True)
    assert (where.system / NAME).read_text() == "theirs"


def test_links_to_one_that_is_gone_are_removed_all_the_same(tmp_path: Path, where: Places) -> None:
    """Else a project that is gone would be looked for at each boot."""
    service.install(ops(tmp_path))
    (where.user / NAME).unlink()
    assert data(service.remove(ops(tmp_path)))["removed"] is True
    assert [path for path in where.user.rglob("*") if not path.is_dir()] == []


def test_anybody_may_read_it(tmp_path: Path, where: Places) -> None:
    service.install(ops(tmp_path))
    assert (where.user / NAME).stat().st_mode & 0o777 == 0o644


def test_it_is_looked_for_in_the_home_of_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked_for: list[Path] = []

    def places(home: Path) -> Places:
        asked_for.append(home)
        return Places(tmp_path, tmp_path, tmp_path)

    monkeypatch.setattr(service, "places", places)
    monkeypatch.setattr(Path, "home", lambda: Path("/another"))
    service.shown(ops(tmp_path, HOME="/home/ana"), system=False)
    service.shown(ops(tmp_path, HOME=""), system=False)
    assert asked_for == [Path("/home/ana"), Path("/another")]


def test_it_starts_and_stops_this_project_from_where_its_command_was_typed(tmp_path: Path) -> None:
    base = ops(tmp_path)
    made = service.unit(base, system=False)
    assert (made.project, made.cwd, made.user) == ("demo", base.settings.cwd, "")
    assert made.start_words[-3:] == ["up", "--no-canary", "--quiet"]
    assert made.stop_words == [*made.start_words[:-3], "down", "--quiet"]
    assert service.unit(base, system=True).user != ""


def test_what_is_shown_is_the_text_line_by_line(tmp_path: Path) -> None:
    report = service.shown(ops(tmp_path), system=False)
    assert report.sections[0].lines == tuple(data(report)["text"].splitlines())
    assert data(report)["text"] == service.unit(ops(tmp_path), system=False).text()


def test_all_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    said = [
        service.remove(ops(tmp_path)),
        service.install(ops(tmp_path)),
        service.install(ops(tmp_path)),
        service.install(ops(tmp_path, WORKER_REPLICAS="4")),
        service.remove(ops(tmp_path)),
        service.install(ops(tmp_path, "offline")),
        service.install(ops(tmp_path), system=True),
        service.install(ops(tmp_path, "offline"), system=True),
    ]
    told = [replace(each, data={name: it for name, it in data(each).items() if name != "text"}) for each in said]
    assert "\n\n".join(map(whole, told)).replace(str(tmp_path), "HERE") == snapshot


def test_all_that_is_said_on_docker(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    engine, base = Docker("demo"), ops(tmp_path)
    compose = tmp_path / "compose.yaml"
    compose.write_text(compose.read_text().replace("command: [store]", 'command: [store]\n    restart: "on-failure:3"'))
    said = []
    for starts in (True, False, None):
        engine.starts = starts
        said.append(whole(service.install(Ops(base.settings, engine, base.clock))))
    assert "\n\n".join(said) == snapshot
