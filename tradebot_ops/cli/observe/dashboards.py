"""tradebot dashboards …"""

import typer

from tradebot_ops.cli.emit import emit, ops_of

app = typer.Typer(
    add_completion=False, rich_markup_mode=None, no_args_is_help=True, help="List and check the dashboards."
)


@app.callback()
def dashboards() -> None:
    """List and check the dashboards."""


@app.command("list")
def list_(context: typer.Context) -> None:
    """List the panels with their queries.

    \b
    Examples:
      tradebot dashboards list
    """
    from tradebot_ops.operations.monitoring import dashboards as operation

    ops = ops_of(context)
    emit(ops, operation.list_(ops))


@app.command()
def lint(context: typer.Context) -> None:
    """Check layout, ids, queries and metrics of every dashboard, and ask Prometheus, where it runs, for the data.

    \b
    Examples:
      tradebot dashboards lint
    """
    from tradebot_ops.operations.monitoring import dashboards as operation

    ops = ops_of(context)
    emit(ops, operation.lint(ops))
