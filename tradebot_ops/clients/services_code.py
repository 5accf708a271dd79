"""The services' own code, run in a process of ours for what a service says that is away.

The command line and the services import nothing of one another.
"""

import os
import subprocess
import sys

from tradebot_ops.stack.source import default_folder


def run_module(module: str, *words: str, seconds: float, text: str = "") -> str:
    """Return what ``python -m module`` writes, with ``text`` on its standard input.

    Raises ``subprocess.TimeoutExpired``, and ``subprocess.CalledProcessError`` where it fails.
    """
    done = subprocess.run(
        # -P: else a folder `services` where the operator stands would come before ours.
        [sys.executable, "-P", "-m", module, *words],
        input=text,
        env={**os.environ, "PYTHONPATH": str(default_folder())},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=True,
    )
    return done.stdout


def why(error: subprocess.CalledProcessError) -> str:
    """The last line of what it complained of, without its full stop."""
    return (str(error.stderr).strip().rpartition("\n")[2] or "there was no output").rstrip(".")
