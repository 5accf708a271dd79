"""tradebot config …"""

from typing import Annotated

import typer

from tradebot_ops.cli.emit import emit, ops_of

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Show and check the configuration.",
)


@app.callback()
def config() -> None:
    """Show and check the configuration."""


@app.command()
def show(
    context: typer.Context,
    origin: Annotated[bool, typer.Option("--origin", help="Show where each came from; that is always shown.")] = True,
) -> None:
    """Show every setting, its value and where it came from.

    \b
    Examples:
      WORKER_REPLICAS=4 tradebot config show
    """
    del origin  # asked for by habit; a value without its origin answers half of the question
    from tradebot_ops.operations.project import show_config

    ops = ops_of(context)
    emit(ops, show_config(ops))


@app.command()
def validate(context: typer.Context) -> None:
    """Check compose.yaml and every setting without touching anything.

    \b
    Examples:
      tradebot config validate -f compose.yaml
    """
    from tradebot_ops.operations.project import validate_config

    ops = ops_of(context)
    emit(ops, validate_config(ops))
