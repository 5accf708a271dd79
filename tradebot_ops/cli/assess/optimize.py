"""tradebot optimize …"""

from typing import Annotated

import typer

from tradebot_ops.cli.emit import emit, ops_of, show_progress

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Fit settings to what is really used; with a way back.",
)

Window = Annotated[str, typer.Option("--window", help="Learn from the last 2h, 7d.")]


@app.callback()
def optimize() -> None:
    """Fit settings to what is really used; with a way back."""


@app.command()
def plan(context: typer.Context, window: Window = "7d") -> None:
    """Show which settings would change, why, and what that frees. Changes nothing.

    \b
    Examples:
      tradebot optimize plan
      tradebot optimize plan --window 1h --json
    """
    from tradebot_ops.operations.optimize import plan as operation

    ops = ops_of(context)
    emit(ops, operation.plan(ops, window))


@app.command()
def apply(context: typer.Context, window: Window = "7d") -> None:
    """Write the settings that `plan` shows into the settings file, and bring the stack to them.

    \b
    Examples:
      tradebot optimize apply
      tradebot optimize apply --window 1d --yes
    """
    from tradebot_ops.cli.confirm import confirm
    from tradebot_ops.operations.optimize import apply as operation

    ops = ops_of(context)
    report, decision = operation.check(ops, window)
    if decision.changes:
        names = ", ".join(change.setting for change in decision.changes)
        confirm(ops, f"This changes {names}, and restarts what reads them.")
        with show_progress(ops) as on_progress:
            report = operation.apply(ops, report, decision, on_progress)
    emit(ops, report)


@app.command()
def revert(context: typer.Context) -> None:
    """Undo the last `apply`; again for the one before it.

    \b
    Examples:
      tradebot optimize revert
    """
    from tradebot_ops.operations.optimize import apply as operation

    ops = ops_of(context)
    with show_progress(ops) as on_progress:
        report = operation.revert(ops, on_progress)
    emit(ops, report)
