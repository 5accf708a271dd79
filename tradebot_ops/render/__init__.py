"""Reports and errors turned into text. One file per output format; nothing else writes to a stream."""

import importlib
import pkgutil
from collections.abc import Callable
from typing import TextIO

from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report

#: Writes a report to a stream. ``color``: True or False where decided, None lets the terminal decide.
Renderer = Callable[[Report, TextIO, bool | None], None]


#: For people and scripts; each has its file here.
COMMON = ("table", "json", "yaml", "plain")


def outputs() -> tuple[str, ...]:
    """Every value of ``--output``: the common ones, and a file in ``formats`` each."""
    from tradebot_ops.render import formats

    names = (entry.name for entry in pkgutil.iter_modules(formats.__path__))
    return (*COMMON, *sorted(name for name in names if not name.startswith("_")))


def check_output(output: str) -> None:
    """Raise ``OpsError`` TB-0205 for a format that nobody writes, before anything is done."""
    if output not in COMMON and output not in outputs():
        hint = f"Use one of: {', '.join(outputs())}."
        raise OpsError(f"'{output}' is not a value of --output.", code="TB-0205", hint=hint)


def renderer(output: str) -> Renderer:
    """The renderer of an ``--output`` value."""
    if output == "json":
        from tradebot_ops.render.json_ import render
    elif output == "yaml":
        from tradebot_ops.render.yaml_ import render
    elif output == "plain":
        from tradebot_ops.render.plain import render
    elif output == "table":
        from tradebot_ops.render.table import render
    else:
        render = importlib.import_module(f"tradebot_ops.render.formats.{output}").render
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
