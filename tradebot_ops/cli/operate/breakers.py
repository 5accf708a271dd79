"""tradebot breakers …"""

from typing import Annotated

import typer

from tradebot_ops.cli.emit import emit, ops_of, show_progress

app = typer.Typer(
    add_completion=False, rich_markup_mode=None, no_args_is_help=True, help="Show and reset circuit breakers."
)


@app.callback()
def breakers() -> None:
    """Show and reset circuit breakers: what keeps jobs from calling an outside service that fails."""


@app.command("list")
def list_(context: typer.Context) -> None:
    """List the circuit breakers: open or closed, until when, and the last failure.

    \b
    Examples:
      tradebot breakers list
    """
    from tradebot_ops.operations.jobs import breakers as operation

    ops = ops_of(context)
    emit(ops, operation.list_(ops))


@app.command()
def reset(
    context: typer.Context, name: Annotated[str, typer.Argument(metavar="BREAKER", help="Its name; see list.")]
) -> None:
    """Close a circuit breaker: the service it stands for is called again at once.

    \b
    Examples:
      tradebot breakers reset market-data
    """
    from tradebot_ops.operations.jobs import breakers as operation

    ops = ops_of(context)
    with show_progress(ops, live=False) as on_progress:
        report = operation.reset(ops, name, on_progress)
    emit(ops, report)
