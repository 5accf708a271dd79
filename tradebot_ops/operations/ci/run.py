"""A stack for one run of a pipeline: brought up under a name of its own, checked, always taken down.

Each step is a process of its own: what ends one, a signal or a crash, does not keep the last from running.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import FrameType
from typing import TextIO

from tradebot_ops.context import Ops
from tradebot_ops.engines.ports import any_free
from tradebot_ops.operations import itself
from tradebot_ops.settings import STACK_SETTINGS, Settings, forms

#: What just came up may need a moment until everything has been scraped once.
RETRY_SECONDS = 60
#: For a step that was asked to end, before it is killed.
GRACE_SECONDS = 10.0
ENDING = (signal.SIGINT, signal.SIGTERM)

Report = Callable[[str], None]


def run(ops: Ops, check_words: Sequence[str], report: Report) -> int:
    """The exit code of the check; of `up` where that failed, of `down` where only that did, 130 or 143 for a signal.

    Stdout is the check's alone; what `up` and `down` say goes to stderr. Where `up` fails the check runs all the same:
    its reports say what is missing.
    """
    settings = replace(ops.settings, project=f"{ops.settings.project[:40]}-ci-{uuid.uuid4().hex[:8]}")
    steps = _Steps(itself.command(settings), {**settings.environ, **_free_ports(settings)})
    report(f"Project {settings.project}: up, prod-check, down.")
    with steps.ended_by_signals():
        code = steps.run("up", stdout=sys.stderr)
        retry = 0 if code else RETRY_SECONDS
        checked = steps.run("prod-check", "--retry-timeout", str(retry), "-o", settings.output, *check_words)
        code = code or checked
        left = steps.run_always("down", "--volumes", "--yes", stdout=sys.stderr)
    if left:
        report(f"{settings.project} was not taken down whole: tradebot -p {settings.project} down --volumes --yes")
    else:
        shutil.rmtree(ops.with_settings(settings).state.folder, ignore_errors=True)
    return 128 + steps.signal if steps.signal else code or left


def _free_ports(settings: Settings) -> dict[str, str]:
    """Other ports for those that were chosen: two pipelines may run on this host. Defaults move by themselves."""
    names = [setting.name for setting in STACK_SETTINGS if setting.check in {forms.port, forms.ports}]
    return {name: str(any_free()) for name in names if name in settings.explicit}


class _Steps:
    """Runs them one after another; a signal ends the one that runs, and those that would follow."""

    def __init__(self, program: Sequence[str], environ: Mapping[str, str]) -> None:
        self.signal = 0
        self._program = program
        self._environ = environ
        self._running: subprocess.Popen[bytes] | None = None

    @contextlib.contextmanager
    def ended_by_signals(self) -> Iterator[None]:
        before = {number: signal.signal(number, self._on_signal) for number in ENDING}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def run(self, *words: str, stdout: TextIO | None = None) -> int:
        """Nothing is started after a signal."""
        return self._wait(self._start(words, stdout)) if not self.signal else 0

    def run_always(self, *words: str, stdout: TextIO | None = None) -> int:
        """No signal ends this one, but those that nobody can catch."""
        process = self._start(words, stdout)
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(timeout=1)

    def _start(self, words: Sequence[str], stdout: TextIO | None) -> "subprocess.Popen[bytes]":
        """In a session of its own: Ctrl-C on a terminal is for this process, which decides."""
        return subprocess.Popen(
            [*self._program, *words],
            env=dict(self._environ),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            start_new_session=True,
        )

    def _wait(self, process: "subprocess.Popen[bytes]") -> int:
        self._running = process
        told_at = 0.0
        try:
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    return process.wait(timeout=0.2)
                if self.signal:
                    told_at = told_at or time.monotonic()
                    late = time.monotonic() - told_at > GRACE_SECONDS
                    self._end(signal.SIGKILL if late else signal.SIGTERM)
        finally:
            self._running = None

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        del frame
        self.signal = self.signal or number

    def _end(self, number: int) -> None:
        """The step and what it started in its session; the stack itself has sessions of its own."""
        if self._running is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._running.pid, number)
