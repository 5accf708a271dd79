"""tradebot secrets …"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from tradebot_ops.cli.emit import emit, ops_of, show_progress

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Show, check and change the passwords of the stack.",
)
Name = Annotated[str, typer.Argument(metavar="SECRET", help="A name of `secrets list`.")]


@app.callback()
def secrets() -> None:
    """Show, check and change the passwords of the stack."""


@app.command("list")
def list_(context: typer.Context) -> None:
    """List the secrets: for what, how old, whether they can be changed while the stack works. Shows no value.

    \b
    Examples:
      tradebot secrets list
    """
    from tradebot_ops.operations.rotation import looking

    ops = ops_of(context)
    emit(ops, looking.listing(ops))


@app.command()
def show(context: typer.Context, name: Name) -> None:
    """Show the value of one secret, such as to log in; the audit log has who did.

    \b
    Examples:
      tradebot secrets show grafana_admin_password
    """
    from tradebot_ops.operations.rotation import looking

    ops = ops_of(context)
    emit(ops, looking.show(ops, name))


@app.command()
def check(context: typer.Context) -> None:
    """Check that every secret is there, closed to others and long enough, and no rotation was left half-way.

    \b
    Examples:
      tradebot secrets check
    """
    from tradebot_ops.operations.rotation import looking

    ops = ops_of(context)
    emit(ops, looking.check(ops))


@app.command()
def rotate(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="SECRET", help="Names of `secrets list`.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All that can be changed while the stack works.")] = False,
) -> None:
    """Give secrets new values while the stack works; proves that the new one is taken and the old one refused.

    Killed half-way it leaves a stack that works, and the same command again finishes it.

    \b
    Examples:
      tradebot secrets rotate redis_password
      tradebot secrets rotate --all
    """
    from tradebot_ops.operations.rotation import rotate as operation

    ops = ops_of(context)
    with show_progress(ops, live=False) as on_progress:
        report = operation.rotate(ops, names or [], on_progress, every=every)
    emit(ops, report)


@app.command("import")
def import_(
    context: typer.Context,
    name: Name,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file with the value; - for stdin.")],
) -> None:
    """Give a secret a value of your own: any before the first `up`, later those that `rotate` can change.

    \b
    Examples:
      tradebot secrets import grafana_admin_password /run/vault/grafana
      pass show tradebot/api | tradebot secrets import api_key -
    """
    from tradebot_ops.operations.rotation import rotate as operation
    from tradebot_ops.operations.secrets import read_value

    ops = ops_of(context)
    value = read_value(None if str(file) == "-" else ops.settings.cwd / file, sys.stdin)
    with show_progress(ops, live=False) as on_progress:
        report = operation.import_(ops, name, value, on_progress)
    emit(ops, report)
