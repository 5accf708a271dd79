"""Run a server that refuses root while this command runs as root. An ordinary user needs none of it."""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tradebot_ops.errors import OpsError

#: The user and group "nobody" of every Linux system.
NOBODY = 65534
_UNSHARE = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}")
_SETPRIV = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")


@dataclass(frozen=True)
class Way:
    """Words to put before a command. ``other_owner``: files must belong to nobody and lie outside root's home."""

    prefix: tuple[str, ...] = ()
    other_owner: bool = False

    def before(self, stop_signal: str) -> tuple[str, ...]:
        """The prefix of a long-lived command; a change of user clears the parent-death signal, so it is set again."""
        return (*self.prefix, f"--pdeathsig={stop_signal}") if self.other_owner else self.prefix


def way(binary: Path) -> Way:
    """How to run ``binary`` without root's rights; ``OpsError`` TB-0410 when this host offers no way."""
    return _way(binary, os.geteuid())


@cache
def _way(binary: Path, user: int) -> Way:
    if user != 0:
        return Way()
    # A user namespace keeps the process id and the files' owner, and needs nothing outside the state folder.
    if works((*_UNSHARE, str(binary), "--version")):
        return Way(_UNSHARE)
    if works((*_SETPRIV, str(binary), "--version")):
        return Way(_SETPRIV, other_owner=True)
    raise OpsError(
        f"{binary.name} refuses to run as root, and neither `unshare --user` nor `setpriv` can run it as nobody here.",
        code="TB-0410",
        hint="Run tradebot as an ordinary user, or install util-linux and allow user namespaces.",
    )


def works(command: Sequence[str]) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=10, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
