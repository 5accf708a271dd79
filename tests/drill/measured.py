"""Time and peak memory of a command, whoever starts it."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.integration.tradebot import Tradebot

#: The kernel hands the peak of whoever starts a process on to it: so a small program of its own starts the command.
_LAUNCHER = """
import json, os, sys
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, used = os.wait4(child, 0)
sys.stderr.write("\\n" + json.dumps([os.waitstatus_to_exitcode(status), used.ru_maxrss * 1024]))
"""


@dataclass(frozen=True)
class Run:
    """``memory`` is the largest resident set in bytes."""

    code: int
    seconds: float
    memory: int
    out: str
    err: str


def measured(stack: Tradebot, *words: str, timeout: float = 300) -> Run:
    return timed(stack.command(*words), stack.environment(), stack.cwd, timeout)


def timed(words: Sequence[str], environ: Mapping[str, str], cwd: Path, timeout: float = 300) -> Run:
    """Any command; its program by its whole path."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-S", "-c", _LAUNCHER, *words],
        cwd=cwd,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=timeout,
        check=False,
    )
    took = time.monotonic() - began
    err, _, last = done.stderr.decode(errors="replace").rpartition("\n")
    code, memory = json.loads(last)
    return Run(code, took, memory, done.stdout.decode(errors="replace"), err)
