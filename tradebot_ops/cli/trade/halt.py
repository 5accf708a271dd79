"""tradebot halt, tradebot resume."""

from typing import Annotated

import typer

from tradebot_ops.cli.emit import emit, ops_of, show_progress

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def halt(
    context: typer.Context,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; shown to whoever is refused.")],
    close: Annotated[
        bool, typer.Option("--close-positions", help="Have the watched bot close its positions at the market, too.")
    ] = False,
    cancel_running: Annotated[
        bool, typer.Option("--cancel-running", help="Ask the jobs that run to end, too.")
    ] = False,
) -> None:
    """Take and start no jobs until `resume`, on the whole stack; what runs goes on, what waits keeps its place.

    A bot that is watched opens nothing more: its orders that would are cancelled, and what became of them is read.

    \b
    Examples:
      tradebot halt --reason 'fills look wrong'
      tradebot halt --reason 'fills look wrong' --close-positions --yes
      tradebot halt --reason 'wrong prices' --cancel-running
    """
    from tradebot_ops.cli.confirm import confirm
    from tradebot_ops.operations.trade import halt as operation

    ops = ops_of(context)
    if close:
        confirm(ops, "This has the watched bot close its positions at whatever price there is.")
    with show_progress(ops, live=False) as on_progress:
        report = operation.halt(ops, reason, on_progress, close=close, cancel_running=cancel_running)
    emit(ops, report)


@app.command()
def resume(
    context: typer.Context,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept beside the halt.")] = "",
) -> None:
    """Take and start jobs again after `halt`; those that wait start within seconds.

    \b
    Examples:
      tradebot resume
      tradebot resume --reason 'the exchange has confirmed the fills'
    """
    from tradebot_ops.operations.trade import halt as operation

    ops = ops_of(context)
    with show_progress(ops, live=False) as on_progress:
        report = operation.resume(ops, reason, on_progress)
    emit(ops, report)
