"""tradebot strategies …"""

from typing import Annotated

import typer

from tradebot_ops.cli.emit import emit, ops_of, show_progress

app = typer.Typer(
    add_completion=False, rich_markup_mode=None, no_args_is_help=True, help="List strategies, and check one."
)


@app.callback()
def strategies() -> None:
    """List the strategies that backtests may run, and check that one does not know its future."""


@app.command("list")
def list_(context: typer.Context) -> None:
    """List the strategies with their parameters, and those that cannot be loaded.

    \b
    Examples:
      tradebot strategies list
    """
    from tradebot_ops.operations.trade import strategies as operation

    ops = ops_of(context)
    emit(ops, operation.listed(ops))


@app.command()
def check(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="STRATEGY", help="As `strategies list` shows it.")],
    pairs: Annotated[
        list[str] | None, typer.Argument(metavar="NAME=VALUE", help="Its parameters.", show_default=False)
    ] = None,
    symbol: Annotated[
        str | None, typer.Option("--symbol", metavar="SYMBOL", help="On whose prices; default: made-up ones.")
    ] = None,
) -> None:
    """Check that a strategy decides by its past alone: its future is taken away, and its past must stay.

    \b
    Examples:
      tradebot strategies check sma_cross
      tradebot strategies check sma_cross fast=5 slow=50 --symbol AAPL
    """
    from tradebot_ops.operations.trade import strategies as operation

    ops = ops_of(context)
    with show_progress(ops, live=False) as on_progress:
        report = operation.check(ops, name, pairs or [], symbol, on_progress)
    emit(ops, report)
