"""Run a command beside a replica: on this host, with its environment, folder and rewritten addresses."""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence

from tradebot_ops.engines.base import ExecResult
from tradebot_ops.engines.local.layout import MARK
from tradebot_ops.engines.local.localise import Places, localise
from tradebot_ops.engines.local.records import Record
from tradebot_ops.errors import OpsError

_NOT_EXECUTABLE, _NOT_FOUND = 126, 127  # as a shell says it


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


def _places(record: Record) -> Places:
    named = ((name.rpartition(":"), local) for name, local in record.refers.items())
    return Places(
        services={(host, int(port)): f"127.0.0.1:{local}" for (host, _, port), local in named},
        own={int(target): f"{record.listen}:{local}" for target, local in record.ports.items()},
        paths=record.paths,
    )


def _too_slow(record: Record, command: Sequence[str], timeout: float | None) -> OpsError:
    return OpsError(
        f"`{' '.join(command)}` beside {record.replica} took longer than {timeout:g} s.",
        code="TB-0601",
        hint="Give it more time with --timeout.",
    )
