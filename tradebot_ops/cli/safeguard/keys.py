"""tradebot keys …"""

from typing import Annotated

import typer

from tradebot_ops.cli.emit import emit, ops_of, show_progress

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Make, list and revoke named keys of the API.",
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="Its name, such as nightly.")]


@app.callback()
def keys() -> None:
    """Make, list and revoke named keys of the API."""


@app.command()
def create(
    context: typer.Context,
    name: Name,
    role: Annotated[
        str, typer.Option("--role", metavar="ROLE", help="read, operate (submit, cancel, pause …) or admin (all).")
    ],
    expires: Annotated[
        str | None, typer.Option("--expires", metavar="TIME", help="90d, or 2027-03-31 (UTC); else never.")
    ] = None,
) -> None:
    """Make a key, and print it: the only time that it can be seen. Only a hash of it is stored.

    \b
    Examples:
      tradebot keys create grafana --role read
      KEY=$(tradebot keys create nightly --role operate --expires 90d)
    """
    from tradebot_ops.operations import keys as operation

    ops = ops_of(context)
    with show_progress(ops, live=False) as on_progress:
        report = operation.create(ops, name, role, expires, on_progress)
    emit(ops, report)


@app.command("list")
def list_(context: typer.Context) -> None:
    """List the keys: role, who made it, when it ends, when it was last used. Shows no key.

    \b
    Examples:
      tradebot keys list
    """
    from tradebot_ops.operations import keys as operation

    ops = ops_of(context)
    emit(ops, operation.list_(ops))


@app.command()
def revoke(context: typer.Context, name: Name) -> None:
    """End a key for good, at once: the API refuses it from the next request on.

    \b
    Examples:
      tradebot keys revoke nightly
    """
    from tradebot_ops.operations import keys as operation

    ops = ops_of(context)
    with show_progress(ops, live=False) as on_progress:
        report = operation.revoke(ops, name, on_progress)
    emit(ops, report)
