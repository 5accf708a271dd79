"""One stack for many faults, and the table of what became of each."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest

from tests.integration.local.test_monitoring import monitored
from tests.integration.tradebot import Tradebot
from tests.paths import ROOT

_LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "*cache*", "*.egg-info")


@dataclass
class Rig:
    """The stack is made when first asked for, and anew once a mend did not make it as it was."""

    folder: Path
    head: tuple[str, ...]
    make: Callable[[Path], Tradebot] = monitored
    table: list[Sequence[object]] = field(default_factory=list)
    running: Tradebot | None = None
    count: int = 0

    def stack(self) -> Tradebot:
        if self.running is None:
            self.count += 1
            here = self.folder / f"{self.count}"
            self.running = self.make(here / "home")
            # Faults edit files.
            self.running.cwd = Path(shutil.copytree(ROOT, here / "files", ignore=_LEFT_OUT))
            self.copied(self.running)
            self.running.ok("up", timeout=300)
            self.begun()
        return self.running

    def copied(self, stack: Tradebot) -> None:
        """Called with each new copy of the project, before it is started."""

    def begun(self) -> None:
        """Called with each new stack."""

    def discard(self) -> None:
        if self.running is not None:
            self.running.clean()
        self.running = None

    def write(self) -> str:
        rows = [self.head, ("---",) * len(self.head), *self.table]
        text = "\n".join("| " + " | ".join(map(str, row)) + " |" for row in rows) + "\n"
        (self.folder / "table.md").write_text(text, encoding="utf-8")
        return text


R = TypeVar("R", bound=Rig)


@contextmanager
def reporting(found: R, request: pytest.FixtureRequest) -> Iterator[R]:
    """Takes the stack down in the end, and shows the table."""
    try:
        yield found
    finally:
        found.discard()
        capture = request.config.pluginmanager.getplugin("capturemanager")
        terminal = request.config.pluginmanager.getplugin("terminalreporter")
        with capture.global_and_fixture_disabled():
            terminal.write(f"\n{found.write()}")
