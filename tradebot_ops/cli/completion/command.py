"""tradebot completion …"""

from typing import Annotated

import typer

from tradebot_ops.cli.emit import emit, ops_of

app = typer.Typer(
    add_completion=False, rich_markup_mode=None, no_args_is_help=True, help="Let the Tab key complete what is typed."
)

Shell = Annotated[str | None, typer.Argument(metavar="SHELL", help="bash, zsh or fish; else what SHELL says.")]


@app.callback()
def completion() -> None:
    """Let the Tab key complete commands, options, and names of services, jobs and alerts."""


@app.command()
def install(context: typer.Context, shell: Shell = None) -> None:
    """Write the completion where new shells find it, and say how to undo that.

    \b
    Examples:
      tradebot completion install
      tradebot completion install zsh
    """
    from tradebot_ops.cli.completion import install as installing

    ops = ops_of(context)
    environ = ops.settings.environ
    emit(ops, installing.install(installing.shell_of(environ, shell), environ))


@app.command()
def show(context: typer.Context, shell: Shell = None) -> None:
    """Show what the shell has to read, for whoever puts it somewhere else.

    \b
    Examples:
      tradebot completion show fish
    """
    from tradebot_ops.cli.completion import install as installing

    ops = ops_of(context)
    emit(ops, installing.show(installing.shell_of(ops.settings.environ, shell)))


@app.command(hidden=True)
def refresh(context: typer.Context) -> None:
    """Look up the names that the next press of the Tab key offers.

    \b
    Examples:
      tradebot completion refresh
    """
    from tradebot_ops.cli import in_force
    from tradebot_ops.cli.completion.cache import here
    from tradebot_ops.cli.completion.look import look

    ops = ops_of(context)
    emit(ops, look(ops, here(in_force.options())))
