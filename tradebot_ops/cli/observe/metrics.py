"""tradebot metrics …"""

from typing import Annotated

import typer

from tradebot_ops.cli.emit import emit, ops_of

app = typer.Typer(
    add_completion=False, rich_markup_mode=None, no_args_is_help=True, help="Show what the services measure."
)

Raw = Annotated[bool, typer.Option("--raw", help="The text as Prometheus reads it.")]


@app.callback()
def metrics() -> None:
    """Show what the services measure."""


@app.command()
def api(context: typer.Context, raw: Raw = False) -> None:
    """Show the API's metrics, read from the API itself.

    \b
    Examples:
      tradebot metrics api
      tradebot metrics api --raw
    """
    from tradebot_ops.operations.monitoring import metrics as operation

    ops = ops_of(context)
    emit(ops, operation.api(ops, raw=raw))


@app.command()
def worker(
    context: typer.Context,
    number: Annotated[int | None, typer.Argument(help="Which worker; the first if none is named.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every worker.")] = False,
    raw: Raw = False,
) -> None:
    """Show a worker's metrics, read from the worker itself. Exit code 5 when one does not answer; others are shown.

    \b
    Examples:
      tradebot metrics worker
      tradebot metrics worker 2
      tradebot metrics worker --all --json
    """
    from tradebot_ops.operations.monitoring import metrics as operation

    ops = ops_of(context)
    emit(ops, operation.worker(ops, number, every=every, raw=raw))


@app.command("list")
def list_(context: typer.Context) -> None:
    """List every metric with type, labels and who emits it.

    \b
    Examples:
      tradebot metrics list
    """
    from tradebot_ops.operations.monitoring import metrics as operation

    ops = ops_of(context)
    emit(ops, operation.list_(ops))


@app.command()
def contract(
    context: typer.Context,
    live: Annotated[bool, typer.Option("--live", help="Compare with what Prometheus really has, too.")] = False,
) -> None:
    """Name every metric and label that a rule or panel asks for and nothing emits. Exit code 1 when there is one.

    \b
    Examples:
      tradebot metrics contract --live
    """
    from tradebot_ops.operations.monitoring import contract as operation

    ops = ops_of(context)
    emit(ops, operation.contract(ops, live=live))
