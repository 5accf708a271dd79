"""Programs of the operator's own that run before and after a command: ``.tradebot/hooks/{pre,post}-<command>``.

They lie beside the stack's description, or in the folder in which the command is typed. What they write goes to
the progress; stdout belongs to the command's own data.
"""

import contextlib
import os
import signal
import stat
import threading
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError

if TYPE_CHECKING:
    import subprocess

FOLDER = Path(".tradebot", "hooks")
#: Set for every hook. What a hook calls runs no hooks itself, so that none can call itself without end.
INSIDE = "TRADEBOT_HOOK"
#: How long a hook that took too long, or was interrupted, may take to end by itself. Ctrl-C allows three seconds.
STOP_SECONDS = 1.0
#: For the last output of a hook that has ended; a program that it left behind may hold the pipe for ever.
LAST_WORDS_SECONDS = 1.0
LAST_LINES = 10
ROOT = 0


class Failed(Exception):  # noqa: N818 - what becomes of it depends on the moment: an error before, a warning after
    """A hook did not do its work: ``str()`` says why, ``lines`` are the last that it wrote."""

    def __init__(self, why: str, lines: tuple[str, ...] = ()) -> None:
        super().__init__(why)
        self.lines = lines


def find(ops: Ops, moment: str, command: str) -> Path | None:
    """The hook for a moment (``pre`` or ``post``) of a command; None when there is none or a hook itself asks."""
    if ops.settings.environ.get(INSIDE):
        return None
    name = f"{moment}-{command.replace(' ', '-')}"
    return next((path for folder in _folders(ops) if (path := folder / FOLDER / name).is_file()), None)


def _folders(ops: Ops) -> list[Path]:
    """A description that cannot be found must not keep anybody from stopping what runs."""
    with contextlib.suppress(OpsError):
        return [ops.source.folder, ops.settings.cwd]
    return [ops.settings.cwd]


def run(hook: Path, environ: Mapping[str, str], say: Callable[[str], None], seconds: float) -> None:
    """Run a hook in the project's folder, for ``seconds`` at most; ``say`` takes its output line by line.

    Raises ``Failed`` when it ends with another exit code than 0, does not end in time, cannot be started, or may
    have been written by another user of this host. Whatever ends the wait, the hook does not outlive it.
    """
    _check_owner(hook)
    process = _start(hook, environ)
    lines: deque[str] = deque(maxlen=LAST_LINES)
    reader = threading.Thread(target=_read, args=(process.stdout, lines, say), daemon=True)
    why = ""
    try:
        reader.start()
        why = _wait(process, seconds)
    finally:
        _end(process)
        if reader.ident is not None:
            reader.join(LAST_WORDS_SECONDS)
    if why:
        raise Failed(why, tuple(lines))


def _check_owner(hook: Path) -> None:
    """As Git does before it trusts a folder: else whoever may write to it would run programs as this user."""
    trusted = {ROOT, os.geteuid()}
    if os.environ.get("SUDO_UID", "").isdecimal():
        trusted.add(int(os.environ["SUDO_UID"]))
    for path in (hook.parent.resolve(), hook.resolve()):
        found = path.stat()
        if found.st_uid not in trusted:
            raise Failed(f"was not run: {path} belongs to another user (number {found.st_uid})")
        if found.st_mode & stat.S_IWOTH:
            raise Failed(f"was not run: every user of this host may write to {path}")


def _start(hook: Path, environ: Mapping[str, str]) -> "subprocess.Popen[str]":
    """In a session of its own, so that all that it started ends with it, and Ctrl-C is for tradebot to pass on."""
    import subprocess

    try:
        return subprocess.Popen(
            [str(hook)],
            cwd=hook.parent.parent.parent,
            env={**environ, INSIDE: hook.name},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except PermissionError:
        raise Failed(f"cannot be started; make it executable: chmod +x {hook}") from None
    except OSError as error:
        raise Failed(f"cannot be started: {error.strerror}") from None


def _read(stream: IO[str], lines: deque[str], say: Callable[[str], None]) -> None:
    for line in stream:
        lines.append(line.rstrip())
        say(lines[-1])


def _wait(process: "subprocess.Popen[str]", seconds: float) -> str:
    """Why it failed; empty when it did not."""
    from subprocess import TimeoutExpired

    try:
        code = process.wait(seconds)
    except TimeoutExpired:
        return f"did not end within {seconds:g} s"
    if code < 0:
        return f"was ended by signal {-code}"
    return f"ended with exit code {code}" if code else ""


def _end(process: "subprocess.Popen[str]") -> None:
    """Nothing to do for one that has ended."""
    from subprocess import TimeoutExpired

    if process.poll() is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(TimeoutExpired):
            process.wait(STOP_SECONDS)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
