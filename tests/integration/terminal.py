"""A command on a pseudo-terminal, as a person would use it."""

import contextlib
import os
import pty
import subprocess
from collections.abc import Iterator, Sequence

from tests.integration.tradebot import Tradebot
from tests.waiting import until


class Terminal:
    """Type into it, and wait for what it shows."""

    def __init__(self, process: "subprocess.Popen[bytes]", handle: int) -> None:
        self.process = process
        self._handle = handle
        self._seen = ""

    def type(self, text: str) -> None:
        os.write(self._handle, text.encode())

    def shows(self, *texts: str, seconds: float = 30) -> None:
        """Wait until one of the texts has appeared."""
        until(lambda: self._contains(texts), f"{texts} on the terminal", seconds)

    def _contains(self, texts: Sequence[str]) -> bool:
        with contextlib.suppress(OSError):
            self._seen += os.read(self._handle, 65536).decode(errors="replace")
        return any(text in self._seen for text in texts)


@contextlib.contextmanager
def on_terminal(project: Tradebot, *words: str, **environ: str) -> Iterator[Terminal]:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        project.command(*words),
        cwd=project.cwd,
        env=project.environment() | {"TERM": "dumb"} | environ,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    os.set_blocking(ours, False)
    try:
        yield Terminal(process, ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
