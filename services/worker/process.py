"""The child process that runs jobs, seen from its parent: start, talk, measure, end.

Our own instead of `concurrent.futures`, whose pool breaks when one of its processes is killed: a job is a session of
its own that is measured, interrupted and killed with all it started.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

import psutil

START_S = 60.0
#: Libraries of linear algebra start a thread for each core of the host, even in a container that has fewer. Beside
#: other workers these only wait for each other, and the last digits of a sum depend on how many there are. The worker's
#: own environment has the last word.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
LARGEST_MESSAGE = 64 * 1024**2

Message = dict[str, Any]


class ChildDied(Exception):  # noqa: N818 - an observation
    """The child's end of the line is closed: it has ended, or is about to."""


class JobProcess:
    """A fresh interpreter that does one job after another, and dies with its parent.

    It is started by executing Python anew, not by forking: a fork would inherit the locks that the parent's
    other threads hold at that moment. Its own session keeps a terminal's Ctrl-C away, and lets whatever a job
    started be ended together with it.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-m", "services.worker.child", str(theirs.fileno()), str(os.getpid())]
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                env={**ONE_THREAD, **(os.environ if environment is None else environment)},
            )
        self._line = Connection(ours.detach())
        self._statistics = psutil.Process(self._process.pid)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def wait_ready(self, within_s: float = START_S) -> None:
        """Wait for the child's first word; raises ``ChildDied`` when it does not come."""
        message = self.receive(within_s)
        if message is None or message["kind"] != "ready":
            raise ChildDied(f"the job process was not ready within {within_s:.0f} s")

    def send(self, message: Message) -> None:
        """Raises ``ChildDied``."""
        try:
            self._line.send_bytes(json.dumps(message).encode())
        except OSError as error:
            raise ChildDied(str(error)) from error

    def receive(self, timeout_s: float) -> Message | None:
        """The child's next word, None if it is silent for that long; raises ``ChildDied``."""
        try:
            if not self._line.poll(timeout_s):
                return None
            message: Message = json.loads(self._line.recv_bytes(LARGEST_MESSAGE))
        except (EOFError, OSError, ValueError) as error:
            raise ChildDied(str(error)) from error
        return message

    def rss(self) -> int:
        """Resident memory in bytes; 0 once it is gone."""
        try:
            return int(self._statistics.memory_info().rss)
        except psutil.Error:
            return 0

    def terminate(self) -> None:
        """Ask it to end: the job sees ``JobCancelled``."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def end(self, grace_s: float = 0.0) -> int:
        """Make sure that it and all it started are gone; its exit code, negative for a signal's number."""
        deadline = time.monotonic() + grace_s
        while self.alive and time.monotonic() < deadline:
            time.sleep(0.01)
        code = self._process.poll()
        # Also when the child has ended by itself: what it started may live on in its session.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        code = self._process.wait() if code is None else code
        self._line.close()
        return code

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(number)
