"""Checks while they run, on stderr: a row for each as it ends; on a terminal, those that still run spin below."""

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TextIO

from tradebot_ops.text.sentences import agreed
from tradebot_ops.text.visible import visible

#: Progress of a run: the ids of all that will be judged; then, for each, (id, level, title, what was observed).
OnRow = Callable[[str, str, str, str], None]
Watch = Callable[[Sequence[str]], OnRow]

#: Passes are not listed one by one: what is wrong must not scroll away.
_SHOWN = frozenset({"warn", "fail", "error", "waived"})
_STYLES = {"warn": "yellow", "fail": "red", "error": "red", "waived": "cyan"}
_NAMED = 6


@contextlib.contextmanager
def watching(stream: TextIO | None = None, color: bool | None = None, *, quiet: bool = False) -> Iterator[Watch]:
    """A watcher for one run, until the block ends."""
    out = stream or sys.stderr
    if quiet:
        yield lambda ids: _ignore
    elif out.isatty():
        with _live(out, color) as watch:
            yield watch
    else:
        yield lambda ids: _lines(out)


def _ignore(id_: str, state: str, title: str, observed: str) -> None:
    """For callers who show no progress."""


def _lines(out: TextIO) -> OnRow:
    started = time.monotonic()

    def on_row(id_: str, state: str, title: str, observed: str) -> None:
        text = f"{time.monotonic() - started:6.1f} s  {state.upper():6} {id_:7} {title}"
        # What passed has nothing to say beyond its title.
        detail = "" if state == "pass" or not observed else f": {observed}"
        out.write(visible(text + detail) + "\n")
        out.flush()

    return on_row


@contextlib.contextmanager
def _live(out: TextIO, color: bool | None) -> Iterator[Watch]:
    from rich.console import Group
    from rich.live import Live
    from rich.spinner import Spinner
    from rich.text import Text

    from tradebot_ops.render.table import console

    shown = console(out, color)
    guard = threading.Lock()
    waiting: dict[str, None] = {}
    ended = [0]
    spinner = Spinner("dots")

    def picture() -> Group:
        with guard:
            names, done = list(waiting), ended[0]
        total = done + len(names)
        first = ", ".join(names[:_NAMED]) + (" …" if len(names) > _NAMED else "")
        spinner.update(
            text=Text(agreed(f"{done} of {total} checks; running: {first}"), overflow="ellipsis", no_wrap=True)
        )
        return Group(spinner)

    with Live(console=shown, get_renderable=picture, refresh_per_second=8, transient=True) as live:

        def on_row(id_: str, state: str, title: str, observed: str) -> None:
            with guard:
                waiting.pop(id_, None)
                ended[0] += 1
            if state in _SHOWN:
                line = Text.assemble((f"{state.upper():6} ", _STYLES.get(state, "")), f"{id_:7} {title}: {observed}")
                live.console.print(line, overflow="ellipsis", no_wrap=True)

        def watch(ids: Sequence[str]) -> OnRow:
            with guard:
                waiting.update(dict.fromkeys(ids))
            return on_row

        yield watch
