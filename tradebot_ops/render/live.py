"""Progress on stderr: a live table on a terminal, plain lines anywhere else."""

import contextlib
import sys
import threading
import time
from collections.abc import Iterator, Mapping
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
    last: dict[str, ProgressEvent] = {}

    def on_progress(event: ProgressEvent) -> None:
        with guard:
            if last.get(event.service) == event:  # of another replica
                return
            last[event.service] = event
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

    rows: dict[str, tuple[ProgressEvent, float]] = {}
    # What was prepared stays beside what follows: "port 8010 is taken by …" must not vanish when the service starts.
    prepared: dict[str, str] = {}
    guard = threading.Lock()

    def picture() -> Table:
        grid = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
        with guard:
            shown = [(event, at, _detail(event, prepared)) for event, at in rows.values()]
        for event, at, detail in shown:
            waits = event.phase in {Phase.WAITING, Phase.STARTING, Phase.STOPPING}
            seconds = "" if not waits else f"{time.monotonic() - at:.0f} s"
            grid.add_row(
                event.service,
                Text(event.phase, style=_STYLES.get(event.phase, "")),
                seconds,
                Text(detail, style="dim"),
            )
        return grid

    def on_progress(event: ProgressEvent) -> None:
        with guard:
            if event.phase is Phase.PREPARING:
                prepared[event.service] = event.detail
            elif event.phase is Phase.DONE:
                prepared.pop(event.service, None)
            rows[event.service] = (event, time.monotonic())

    with Live(console=console(out, color), get_renderable=picture, refresh_per_second=8, transient=False):
        yield on_progress


def _detail(event: ProgressEvent, prepared: Mapping[str, str]) -> str:
    parts = (event.detail, prepared.get(event.service, ""))
    return "; ".join(dict.fromkeys(part for part in parts if part))
