"""Whether systemd starts a project when this host boots: by units, and the links that enable them."""

import os
import pwd
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Places:
    """Where systemd looks. A user's units run while that user is logged in, or always if the user lingers."""

    system: Path
    user: Path
    linger: Path

    @property
    def lingers(self) -> bool:
        return self.linger.exists()


def places(home: Path) -> Places:
    """Of this user. The user's manager starts without the variables of a shell, so XDG_CONFIG_HOME is not asked."""
    return Places(
        Path("/etc/systemd/system"),
        home / ".config" / "systemd" / "user",
        Path("/var/lib/systemd/linger") / user_name(),
    )


def user_name() -> str:
    """Of whoever runs this, by number where the user has no name."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def starts_at_boot(project: str, where: Places) -> tuple[bool, str]:
    """Whether a unit that runs `tradebot up` for the project is started, and the evidence of it, or what lacks."""
    lacking = []
    for folder in (where.system, where.user):
        for unit in _units(folder, project):
            if not is_enabled(unit):
                lacking.append(f"{unit} is not enabled")
            elif folder == where.user and not where.lingers:
                lacking.append(f"{unit} waits until {where.linger.name} logs in: no lingering")
            else:
                return True, str(unit)
    looked = f"no unit that runs `tradebot up` for {project} in {where.system} or {where.user}"
    return False, "; ".join(lacking) or looked


def is_enabled(unit: Path) -> bool:
    return bool(links(unit))


def links(unit: Path) -> Sequence[Path]:
    """By which something that starts with the host wants a unit."""
    folders = [folder for kind in ("wants", "requires") for folder in sorted(unit.parent.glob(f"*.{kind}"))]
    return [folder / unit.name for folder in folders if (folder / unit.name).is_symlink()]


def _units(folder: Path, project: str) -> Sequence[Path]:
    return [path for path in sorted(folder.glob("*.service")) if _starts(path, project)] if folder.is_dir() else []


def _starts(unit: Path, project: str) -> bool:
    try:
        text = unit.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    commands = [line for line in text.splitlines() if line.startswith("ExecStart=")]
    named = re.search(rf"(?<![\w-]){re.escape(project)}(?![\w-])", text)
    return bool(named) and any("tradebot" in line and re.search(r"\sup\b", line) for line in commands)
