"""Progress: one row a service on a terminal, one line a step elsewhere."""

import io
import re

from tests.render.screens import Terminal
from tradebot_ops.progress import Phase, ProgressEvent
from tradebot_ops.render.live import progress

EVENTS = (
    ProgressEvent("api", Phase.PREPARING, "port 8010 is taken: 8011"),
    ProgressEvent("worker", Phase.STARTING, "does not exist yet"),
    ProgressEvent("worker", Phase.STARTING, "does not exist yet"),
    ProgressEvent("api", Phase.STARTING, "does not exist yet"),
    ProgressEvent("worker", Phase.READY),
    ProgressEvent("api", Phase.READY),
)


def shown(stream: io.StringIO) -> str:
    with progress(stream, False) as on_progress:
        for event in EVENTS:
            on_progress(event)
    return stream.getvalue()


def test_a_terminal_keeps_one_row_a_service_with_what_was_prepared() -> None:
    text = re.sub(r"\x1b\[\??[\d;]*[A-Za-z]", "", shown(Terminal()))
    rows = [" ".join(row.split()) for row in text.splitlines()][-2:]
    assert rows == ["api ready port 8010 is taken: 8011", "worker ready"]


def test_the_same_step_of_another_replica_is_no_new_line() -> None:
    assert shown(io.StringIO()).count("worker         starting") == 1
