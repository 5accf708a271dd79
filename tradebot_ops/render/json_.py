"""``--json``: one document, written as is; a rendering library would wrap and colour it."""

import json
from typing import Any, TextIO

from tradebot_ops.model import Report


def render(report: Report, stream: TextIO, color: bool | None) -> None:
    del color  # JSON has none
    write(report.to_dict(), stream)


def write(document: Any, stream: TextIO) -> None:
    stream.write(json.dumps(document, indent=2, default=str) + "\n")


def write_line(document: Any, stream: TextIO) -> None:
    """One line of NDJSON, for streams."""
    stream.write(json.dumps(document, default=str) + "\n")
    stream.flush()
