"""plan, drift."""

from typing import Annotated

import typer

from tradebot_ops.cli.emit import emit, ops_of

app = typer.Typer(add_completion=False, rich_markup_mode=None)

ExitCodeOption = Annotated[bool, typer.Option("--exit-code", help="Exit with 10 when something differs.")]


@app.command()
def plan(
    context: typer.Context,
    services: Annotated[
        list[str] | None, typer.Argument(help="Services; all when none is named.", show_default=False)
    ] = None,
    remove_orphans: Annotated[
        bool, typer.Option("--remove-orphans", help="As `up --remove-orphans` would do it.")
    ] = False,
    exit_code: ExitCodeOption = False,
) -> None:
    """Show what `up` would do and why, without doing it.

    \b
    Examples:
      tradebot plan
      WORKER_REPLICAS=6 tradebot plan --exit-code
    """
    from tradebot_ops.operations.converge.plan import plan as look

    ops = ops_of(context)
    emit(ops, look(ops, services or [], remove_orphans=remove_orphans, exit_code=exit_code))


@app.command()
def drift(context: typer.Context, exit_code: ExitCodeOption = False) -> None:
    """Show what differs between the description and what runs; `up` acts on exactly that.

    \b
    Examples:
      tradebot drift
      tradebot drift --exit-code --json
    """
    from tradebot_ops.operations.converge.drift import drift as look

    ops = ops_of(context)
    emit(ops, look(ops, exit_code=exit_code))
