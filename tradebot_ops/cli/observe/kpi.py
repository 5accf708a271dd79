"""tradebot kpi."""

from typing import Annotated

import typer

from tradebot_ops.cli.emit import emit, ops_of

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def kpi(
    context: typer.Context,
    period: Annotated[str, typer.Option("--period", help="Over the last 24h, 30d.")] = "30d",
) -> None:
    """Show the key figures against their targets: detection, repair, latency, queue, utilisation, uptime.

    \b
    Examples:
      tradebot kpi
      tradebot kpi --period 7d --json
    """
    from tradebot_ops.operations import kpi as operation

    ops = ops_of(context)
    emit(ops, operation.report(ops, period))
