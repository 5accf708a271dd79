"""Progress on stderr: a live table on a terminal, plain lines anywhere else."""

import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from typing import TextIO

from tradebot_ops.progress import OnProgress, Phase, ProgressEvent, ignore_progress
from tradebot_ops.text.visible import visible

_STYLES = {
    Phase.READY: "green",
    Phase.DONE: "green",
    Phase.UNCHANGED: "green",
    Phase.FAILED: "red",
    Phase.UNAVAILABLE: "yellow",
    Phase.STARTING: "yellow",
    Phase.PREPARING: "yellow",
    Phase.STOPPING: "yellow",
}


@contextlib.contextmanager
def progress(
    stream: TextIO | None = None, color: bool | None = None, *, quiet: bool = False, live: bool = True
) -> Iterator[OnProgress]:
    """A listener that shows what an operation reports, until the block ends; ``live`` redraws one table."""
    out = stream or sys.stderr
    if quiet:
        yield ignore_progress
    elif live and out.isatty():
        with _live(out, color) as on_progress:
            yield on_progress
    else:
        yield _lines(out)


def _lines(out: TextIO) -> OnProgress:
    guard = threading.Lock()
    started = time.monotonic()

    def on_progress(event: ProgressEvent) -> None:
        with guard:
            text = f"{time.monotonic() - started:6.1f} s  {event.service:14} {event.phase:10} {event.detail}".rstrip()
            out.write(visible(text) + "\n")
            out.flush()

    return on_progress


@contextlib.contextmanager
def _live(out: TextIO, color: bool | None) -> Iterator[OnProgress]:
    from rich.live import Live
    from rich.table import Table
    from rich.text import Text

    from tradebot_ops.render.table import console

    # What was prepared keeps its own row: "port 8010 is taken by …" must not vanish when the service starts.
    rows: dict[tuple[str, bool], tuple[ProgressEvent, float]] = {}
    guard = threading.Lock()

    def picture() -> Table:
        grid = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
        with guard:
            shown = list(rows.values())
        for event, at in shown:
            waits = event.phase in {Phase.WAITING, Phase.STARTING, Phase.STOPPING}
            seconds = "" if not waits else f"{time.monotonic() - at:.0f} s"
            grid.add_row(
                event.service,
                Text(event.phase, style=_STYLES.get(event.phase, "")),
                seconds,
                Text(event.detail, style="dim"),
            )
        return grid

    def on_progress(event: ProgressEvent) -> None:
        with guard:
            rows[event.service, event.phase is Phase.PREPARING] = (event, time.monotonic())

    with Live(console=console(out, color), get_renderable=picture, refresh_per_second=8, transient=False):
        yield on_progress
