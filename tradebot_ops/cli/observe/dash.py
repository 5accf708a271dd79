"""dash."""

import os
import sys
from typing import Annotated

import typer

from tradebot_ops.cli.emit import emit, ops_of

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def dash(
    context: typer.Context,
    range_name: Annotated[str, typer.Option("--range", help="15m, 1h, 6h, 24h, 7d, or any such as 90m.")] = "1h",
    once: Annotated[
        bool, typer.Option("--once", help="Print one look and leave; so it is without a terminal.")
    ] = False,
) -> None:
    """Draw the panels of the dashboard in the terminal, live.

    Keys: q quits, r refreshes, left and right change the range, tab and enter enlarge a chart, escape shrinks it.
    Exit code 1 with --once when a panel's query failed, 5 when Prometheus does not answer. Without the API,
    Prometheus is asked for the same panels.

    \b
    Examples:
      tradebot dash
      tradebot dash --range 90m
      tradebot dash --once
      tradebot dash --json
    """
    from tradebot_ops.operations.monitoring import panels

    ops = ops_of(context)
    if once or ops.settings.output != "table" or not (sys.stdin.isatty() and sys.stdout.isatty()):
        emit(ops, panels.once(ops, range_name))
        return
    if ops.settings.color is False:
        # The drawing library takes this decision from the environment alone.
        os.environ["NO_COLOR"] = "1"
    from tradebot_ops.render.dash import Dash

    first = panels.look(ops, range_name)  # an API that is away is reported in a sentence, not drawn
    Dash(first, lambda chosen: panels.look(ops, chosen), ops.settings.project).run()
