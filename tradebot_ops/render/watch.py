"""Show a report again and again: in place on a terminal, one JSON document a line elsewhere."""

import time
from collections.abc import Callable
from typing import TextIO

from tradebot_ops.model import Report
from tradebot_ops.render import json_
from tradebot_ops.render.table import console, render
from tradebot_ops.settings import Settings

EVERY_SECONDS = 2.0


def watch(look: Callable[[], Report], settings: Settings, stream: TextIO) -> None:
    """Until Ctrl-C."""
    while True:
        report = look()
        if settings.output == "json":
            json_.write_line(report.to_dict(), stream)
        else:
            if stream.isatty():
                console(stream, settings.color).clear()
            render(report, stream, settings.color)
            stream.flush()
        time.sleep(EVERY_SECONDS)
