"""query, open."""

import sys
from typing import Annotated

import typer

from tradebot_ops.cli.emit import emit, ops_of

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def query(
    context: typer.Context,
    promql: Annotated[str, typer.Argument(help="The expression.")],
    range_: Annotated[str | None, typer.Option("--range", help="Over the last 15m, 2h, 1d.")] = None,
    step: Annotated[str | None, typer.Option("--step", help="A point every 15s, 1m.")] = None,
    chart: Annotated[bool, typer.Option("--chart", help="Draw it; over the last hour unless --range says.")] = False,
) -> None:
    """Ask Prometheus: the value now, a line of blocks over a range, or a chart.

    \b
    Examples:
      tradebot query worker_active
      tradebot query 'up{job="worker"}' --range 1h
      tradebot query queue_length --range 6h --chart
    """
    from tradebot_ops.operations.monitoring import query as operation

    ops = ops_of(context)
    emit(ops, operation.query(ops, promql, range_, step, drawn=chart))


@app.command("open")
def open_(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="api, docs, prometheus, alertmanager or grafana.")],
) -> None:
    """Open a page in the browser; without one, print its address.

    \b
    Examples:
      tradebot open prometheus
    """
    import webbrowser

    from tradebot_ops.model import Report, Section
    from tradebot_ops.operations import urls

    ops = ops_of(context)
    url = urls.find(ops, name)
    opened = sys.stdout.isatty() and webbrowser.open(url)
    emit(ops, Report(data={"url": url, "opened": opened}, sections=(Section(lines=(url,)),)))
