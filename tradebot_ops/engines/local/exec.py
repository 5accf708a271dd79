"""Run a command beside a replica: on this host, with its environment, folder and rewritten addresses."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import BinaryIO

from tradebot_ops.engines.base import Address, ExecResult
from tradebot_ops.engines.local.layout import MARK
from tradebot_ops.engines.local.records import Record
from tradebot_ops.engines.local.rewrite import Places, localise
from tradebot_ops.errors import OpsError

_NOT_EXECUTABLE, _NOT_FOUND, _SIGNALLED = 126, 127, 128  # as a shell says it
_TERMINAL = ("HOME", "TERM", "COLORTERM", "LANG", "LC_ALL", "USER", "SHELL")


def run(record: Record, command: Sequence[str], timeout: float | None) -> ExecResult:
    """Its output, standard error included; ``OpsError`` TB-0601 when it takes longer than ``timeout`` seconds."""
    places = _places(record)
    argv = [localise(word, places) for word in command]
    binary = shutil.which(argv[0], path=record.environ.get("PATH"))
    if binary is None:
        return ExecResult(_NOT_FOUND, f"{argv[0]}: this host has no such program")
    try:
        process = subprocess.Popen(
            [binary, *argv[1:]],
            cwd=record.folder,
            # Without the mark: it is not part of the replica and lives no longer than this call.
            env={key: value for key, value in record.environ.items() if key != MARK},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        return ExecResult(_NOT_EXECUTABLE, f"{argv[0]}: {error.strerror}")
    with process:
        try:
            output, _ = process.communicate(timeout=timeout)
        except BaseException as error:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                raise _too_slow(record, command, timeout) from error
            raise
    return ExecResult(process.returncode, output.decode("utf-8", errors="replace"))


def pipe(record: Record, command: Sequence[str], source: BinaryIO | None, sink: BinaryIO | None) -> ExecResult:
    """Run it between two files; the result has what it wrote to standard error."""
    argv = [localise(word, _places(record)) for word in command]
    binary = shutil.which(argv[0], path=record.environ.get("PATH"))
    if binary is None:
        return ExecResult(_NOT_FOUND, f"{argv[0]}: this host has no such program")
    process = subprocess.Popen(
        [binary, *argv[1:]],
        cwd=record.folder,
        env={key: value for key, value in record.environ.items() if key != MARK},
        stdin=source or subprocess.DEVNULL,
        stdout=sink or subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    with process:
        try:
            _, complaints = process.communicate()
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
    return ExecResult(process.returncode, complaints.decode("utf-8", errors="replace"))


def attach(record: Record, command: Sequence[str], *, terminal: bool) -> int:
    """Run it with this process's own streams; an empty command is this user's shell. Returns its exit code."""
    shell = os.environ.get("SHELL") or "/bin/sh"
    argv = [localise(word, _places(record)) for word in command] or [shell]
    binary = shutil.which(argv[0], path=record.environ.get("PATH"))
    if binary is None:
        sys.stderr.write(f"{argv[0]}: this host has no such program\n")
        return _NOT_FOUND
    # What a terminal needs besides the replica's environment; without the mark, as it is not part of the replica.
    kept = {name: os.environ[name] for name in _TERMINAL if name in os.environ} if terminal else {}
    environ = kept | {key: value for key, value in record.environ.items() if key != MARK}
    # In a terminal Ctrl-C is for the command, not for us.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN) if terminal else None
    try:
        with subprocess.Popen([binary, *argv[1:]], cwd=record.folder, env=environ, restore_signals=True) as process:
            code = process.wait()
    except OSError as error:
        sys.stderr.write(f"{argv[0]}: {error.strerror}\n")
        return _NOT_EXECUTABLE
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)
    return code if code >= 0 else _SIGNALLED - code


def _places(record: Record) -> Places:
    """Inside a container localhost is the service alone, so its own ports are meant there."""
    named = ((name.rpartition(":"), local) for name, local in record.refers.items())
    return Places(
        services={
            (host, int(port)): str(Address(record.hosts.get(host, "127.0.0.1"), local))
            for (host, _, port), local in named
        }
        | {
            (host, int(target)): str(Address(record.reachable, local))
            for target, local in record.ports.items()
            for host in ("localhost", "127.0.0.1")
        },
        own={int(target): str(Address(record.listen, local)) for target, local in record.ports.items()},
        paths=record.paths,
    )


def _too_slow(record: Record, command: Sequence[str], timeout: float | None) -> OpsError:
    return OpsError(
        f"`{' '.join(command)}` beside {record.label} took longer than {timeout:g} s.",
        code="TB-0601",
        hint="Give it more time with --timeout.",
    )
