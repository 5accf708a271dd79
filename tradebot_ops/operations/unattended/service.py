"""Have the host start a project when it boots: a unit of systemd on the local engine; Docker does it by itself."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Inspects
from tradebot_ops.engines.local.observing.boot import Places, is_enabled, links, places, user_name
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Finding, Level, Report, Section
from tradebot_ops.operations.change import change
from tradebot_ops.operations.unattended import typed
from tradebot_ops.operations.unattended.systemd import Manager
from tradebot_ops.operations.unattended.unit import Unit, name_of
from tradebot_ops.private_folder import PrivateFolder, writable

#: With these a container comes back after a reboot.
LASTING = {"always", "unless-stopped"}
ENABLE_DOCKER = "sudo systemctl enable --now docker"


@dataclass(frozen=True)
class Site:
    """Where the unit of a project belongs, and who has to know of it."""

    folder: Path
    name: str
    manager: Manager
    where: Places

    @property
    def file(self) -> Path:
        return self.folder / self.name

    def typed(self, verb: str) -> str:
        """For a person. A system unit is root's."""
        return f"{'sudo ' if self.manager.system else ''}{self.manager.words} {verb} {self.name}"


def unit(ops: Ops, *, system: bool) -> Unit:
    """The unit as it would be written; ``system`` for the host's own manager."""
    grace = sum(service.stop_grace for service in ops.stack.services.values())
    return Unit(
        ops.settings.project,
        typed.call(ops, "up", "--no-canary"),
        typed.call(ops, "down"),
        ops.settings.cwd,
        grace,
        typed.carried(ops),
        user_name() if system else "",
    )


def shown(ops: Ops, *, system: bool) -> Report:
    """The unit, and nothing of it is written."""
    made = unit(ops, system=system)
    return Report(
        data={"unit": str(_site(ops, system=system).file), "text": made.text()},
        sections=(Section(lines=tuple(made.text().splitlines())),),
    )


def install(ops: Ops, *, system: bool = False) -> Report:
    """Write the unit and enable it; what runs now is left alone. On Docker, look whether anything has to be done.

    Raises ``OpsError`` TB-0928 where this user may not write a system unit.
    """
    if restarts_by_itself(ops):
        return _restarts(ops)
    if system:
        _check_root(ops)
    site = _site(ops, system=system)
    text = unit(ops, system=system).text()
    with change(ops, "service install", *(["--system"] if system else [])):
        before = _read(site.file)
        PrivateFolder(site.folder).write(site.name, text, mode=0o644)
        runs = site.manager.runs()
        if runs:
            site.manager.reload()
            site.manager.enable(site.name)
    done = "stays as it was" if before == text else "was written anew" if before else "was written"
    findings = _missing(site, runs=runs)
    data = {
        "unit": str(site.file),
        "changed": before != text,
        "enabled": is_enabled(site.file),
        "lingers": None if system else site.where.lingers,
        "text": text,
    }
    lines = [f"The unit {site.file} {done}."]
    if not findings:
        lines += [
            f"{ops.settings.project} starts when this host boots.",
            f"To have it stopped well before a shutdown from now on, start it so: tradebot down; {site.typed('start')}",
        ]
    return Report(data=data, sections=(Section(lines=tuple(lines)),), findings=findings)


def remove(ops: Ops, *, system: bool = False) -> Report:
    """Take the unit away, whatever engine the project is on by now; what runs goes on. Raises as ``install`` does."""
    site = _site(ops, system=system)
    if not site.file.exists() and not links(site.file):
        line = f"There is no unit {site.file}."
        return Report(data={"unit": str(site.file), "removed": False}, sections=(Section(lines=(line,)),))
    if system:
        _check_root(ops)
    with change(ops, "service remove", *(["--system"] if system else [])):
        runs = site.manager.runs()
        if runs:
            site.manager.disable(site.name)
        with writable(site.file):
            for path in (*links(site.file), site.file):
                path.unlink(missing_ok=True)
        if runs:
            site.manager.reload()
    line = f"The unit {site.file} was removed. What runs goes on, and nothing starts it when this host boots."
    return Report(data={"unit": str(site.file), "removed": True}, sections=(Section(lines=(line,)),))


def restarts_by_itself(ops: Ops) -> bool:
    """Docker has restart policies of its own; the supervisor of the local engine ends with the host."""
    return ops.engine.name == "docker"


def _restarts(ops: Ops) -> Report:
    """No unit is needed on Docker, if it starts with the host and every service is to come back."""
    info = ops.engine.info() if isinstance(ops.engine, Inspects) else None
    starts, evidence = (info.starts_at_boot, info.boot_evidence) if info else (None, "")
    staying = sorted(
        name
        for name, service in ops.stack.services.items()
        if not service.one_shot and service.restart.partition(":")[0] not in LASTING
    )
    findings = []
    if starts is False:
        found = f"Nothing starts Docker when the host boots: {evidence}."
        findings.append(Finding(Level.FAIL, "service.docker", found, hint=ENABLE_DOCKER))
    elif starts is None:
        found = f"Whether Docker starts with its host cannot be seen from here: {evidence or 'it does not say'}."
        findings.append(Finding(Level.WARN, "service.docker", found, hint=f"On its host: {ENABLE_DOCKER}"))
    if staying:
        found = f"These do not come back after a reboot: {', '.join(staying)}."
        findings.append(
            Finding(Level.FAIL, "service.restart", found, hint="restart: unless-stopped", anchor="compose.yaml#restart")
        )
    lines = ["Docker brings the stack back by its restart policies: no unit is needed, and none was written."]
    if starts:
        lines.append(f"Docker itself starts with the host: {evidence}.")
    data: Mapping[str, Any] = {"unit": None, "engine_starts_at_boot": starts, "without_restart": staying}
    return Report(data=data, sections=(Section(lines=tuple(lines)),), findings=tuple(findings))


def _missing(site: Site, *, runs: bool) -> tuple[Finding, ...]:
    """Findings on all that keeps it from being started at boot although it is written."""
    if not runs:
        who = "systemd does not run here" if site.manager.system else "systemd does not run here for this user"
        found = f"{who}, so nothing starts the unit."
        hint = f"Where it runs: {site.typed('daemon-reload').removesuffix(f' {site.name}')}; {site.typed('enable')}"
        return (Finding(Level.WARN, "service.systemd", found, hint=hint),)
    if not site.manager.system and not site.where.lingers:
        user = site.where.linger.name
        found = f"It starts when {user} logs in, and not before: {user} does not linger."
        return (Finding(Level.WARN, "service.linger", found, hint=f"sudo loginctl enable-linger {user}"),)
    return ()


def _site(ops: Ops, *, system: bool) -> Site:
    where = places(Path(ops.settings.environ.get("HOME") or Path.home()))
    folder = where.system if system else where.user
    return Site(folder, name_of(ops.settings.project), Manager(system, ops.settings.environ), where)


def _check_root(ops: Ops) -> None:
    """Behind sudo the project would be root's, which is another one with another state."""
    behind = ops.settings.environ.get("SUDO_USER", "root")
    if os.geteuid() == 0 and behind == "root":
        return
    name = name_of(ops.settings.project)
    why = f"sudo would make it root's project instead of {behind}'s" if behind != "root" else "it is root's to write"
    raise OpsError(
        f"A system unit was not written: {why}.",
        code="TB-0928",
        hint=f"tradebot service install --system --print | sudo tee /etc/systemd/system/{name}; "
        f"sudo systemctl enable {name}",
    )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
