"""tradebot positions."""

import typer

from tradebot_ops.cli.emit import emit, ops_of

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def positions(context: typer.Context) -> None:
    """Read the bot that trades elsewhere now: mode, positions, resting orders, balance, and how old each of it is.

    Ends with 1 while positions or orders are not known, which is not the same as none.

    \b
    Examples:
      tradebot positions
      tradebot positions --json
    """
    from tradebot_ops.operations.trade import positions as operation

    ops = ops_of(context)
    emit(ops, operation.positions(ops))
