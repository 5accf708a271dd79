"""Reports and errors turned into text. One file per output format; nothing else writes to a stream."""

from collections.abc import Callable
from typing import TextIO

from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report

#: Writes a report to a stream. ``color``: True or False where decided, None lets the terminal decide.
Renderer = Callable[[Report, TextIO, bool | None], None]


def renderer(output: str) -> Renderer:
    """The renderer of an ``--output`` value."""
    if output == "json":
        from tradebot_ops.render.json_ import render
    elif output == "yaml":
        from tradebot_ops.render.yaml_ import render
    elif output == "plain":
        from tradebot_ops.render.plain import render
    else:
        from tradebot_ops.render.table import render
    return render


def error_envelope(command: str, error: OpsError) -> dict[str, object]:
    """The JSON document of a command that failed before it had a result."""
    problem: dict[str, object] = {"code": error.code, "message": error.message, "hint": error.hint}
    if error.detail:
        problem["detail"] = list(error.detail)
    return {
        "schema": f"tradebot/v1/{command}",
        "ok": False,
        "data": None,
        "warnings": [],
        "errors": [problem],
    }
