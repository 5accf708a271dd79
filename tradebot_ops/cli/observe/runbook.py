"""tradebot runbook …"""

from typing import Annotated

import typer

from tradebot_ops.cli.emit import emit, ops_of

app = typer.Typer(
    add_completion=False, rich_markup_mode=None, no_args_is_help=True, help="Show what to do about an alert."
)


@app.callback()
def runbook() -> None:
    """Show what to do about an alert."""


@app.command()
def show(context: typer.Context, alert: Annotated[str, typer.Argument(help="Its name, such as RedisDown.")]) -> None:
    """Show an alert's page: how to confirm, mend and prevent.

    \b
    Examples:
      tradebot runbook show RedisDown
    """
    from tradebot_ops.operations.alerts import runbooks

    ops = ops_of(context)
    emit(ops, runbooks.show(ops, alert))


@app.command("list")
def list_(context: typer.Context) -> None:
    """List the alerts that have a page.

    \b
    Examples:
      tradebot runbook list
    """
    from tradebot_ops.operations.alerts import runbooks

    ops = ops_of(context)
    emit(ops, runbooks.list_(ops))
