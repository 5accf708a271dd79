"""tradebot service …"""

from typing import Annotated

import typer

from tradebot_ops.cli.emit import emit, ops_of

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Have this host start the stack when it boots.",
)
System = Annotated[bool, typer.Option("--system", help="By the host's own manager, not that of this user.")]


@app.callback()
def service() -> None:
    """Have this host start the stack when it boots."""


@app.command()
def install(
    context: typer.Context,
    system: System = False,
    print_: Annotated[bool, typer.Option("--print", help="Only print the unit.")] = False,
) -> None:
    """Write a unit of systemd that starts the stack at boot and stops it well, and enable it.

    What runs now is left alone. A user's unit needs lingering to start before a login: it says so. Docker needs no
    unit: its restart policies are checked, and that it starts with the host.

    \b
    Examples:
      tradebot service install
      tradebot service install --system --print
    """
    from tradebot_ops.operations.unattended import service as operation

    ops = ops_of(context)
    if not print_:
        emit(ops, operation.install(ops, system=system))
    elif ops.settings.output == "table":
        from tradebot_ops.cli.streams import writing_stdout

        text = operation.unit(ops, system=system).text()
        with writing_stdout() as stdout:  # as it stands: no line of it may be wrapped
            stdout.write(text)
    else:
        emit(ops, operation.shown(ops, system=system))


@app.command()
def remove(context: typer.Context, system: System = False) -> None:
    """Take the unit away again; what runs goes on.

    \b
    Examples:
      tradebot service remove
    """
    from tradebot_ops.operations.unattended import service as operation

    ops = ops_of(context)
    emit(ops, operation.remove(ops, system=system))
