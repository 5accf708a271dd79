"""up, down, start, stop, restart, scale."""

from typing import Annotated

import typer

from tradebot_ops.cli import change
from tradebot_ops.cli.emit import emit, ops_of, told

app = typer.Typer(add_completion=False, rich_markup_mode=None)

Services = Annotated[list[str] | None, typer.Argument(help="Services; all when none is named.", show_default=False)]


@app.command()
def up(
    context: typer.Context,
    services: Services = None,
    no_canary: Annotated[bool, typer.Option("--no-canary", help="Skip the proof by a real job.")] = False,
    remove_orphans: Annotated[
        bool, typer.Option("--remove-orphans", help="Remove services that are not in the stack any more.")
    ] = False,
    build: Annotated[bool, typer.Option("--build", help="Build the stack's own images first.")] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Only show what would be done, and why.")] = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="With --plan: exit with 10 for changes.")] = False,
) -> None:
    """Start the stack, prove that it works, and show it.

    Changes only what differs from the description; a second `up` changes nothing and says so.

    \b
    Examples:
      tradebot up
      tradebot up redis postgres
      tradebot up --engine local --json
      tradebot up --plan
    """
    if plan:
        change.plan(context, services, remove_orphans, exit_code)
        return
    from tradebot_ops.operations import up as operation

    ops = ops_of(context)
    with told(ops) as listen:
        report = operation.up(
            ops, services or [], listen, prove=not no_canary, remove_orphans=remove_orphans, build=build
        )
    emit(ops, report)


@app.command()
def down(
    context: typer.Context,
    volumes: Annotated[bool, typer.Option("--volumes", help="Remove the data and the secrets, too.")] = False,
) -> None:
    """Stop and remove the stack; data stays unless --volumes is given.

    \b
    Examples:
      tradebot down
      tradebot down --volumes --yes
    """
    from tradebot_ops.cli.confirm import confirm
    from tradebot_ops.operations import down as operation

    ops = ops_of(context)
    if volumes:
        confirm(ops, "This removes all data of the project.")
    with told(ops) as listen:
        report = operation.down(ops, listen, volumes=volumes)
    emit(ops, report)


@app.command()
def start(context: typer.Context, services: Services = None) -> None:
    """Start stopped services again, as they were.

    \b
    Examples:
      tradebot start worker
    """
    from tradebot_ops.operations import power

    ops = ops_of(context)
    with told(ops) as listen:
        report = power.start(ops, services or [], listen)
    emit(ops, report)


@app.command()
def stop(context: typer.Context, services: Services = None) -> None:
    """Stop services without removing them; workers finish their job first.

    \b
    Examples:
      tradebot stop worker
    """
    from tradebot_ops.operations import power

    ops = ops_of(context)
    with told(ops) as listen:
        report = power.stop(ops, services or [], listen)
    emit(ops, report)


@app.command()
def restart(
    context: typer.Context,
    services: Services = None,
    rolling: Annotated[
        bool, typer.Option("--rolling", help="One replica at a time, each ready before the next.")
    ] = False,
) -> None:
    """Stop and start services and wait until they are ready.

    \b
    Examples:
      tradebot restart api
      tradebot restart worker --rolling
    """
    from tradebot_ops.operations import power

    ops = ops_of(context)
    with told(ops) as listen:
        report = power.restart(ops, services or [], listen, rolling=rolling)
    emit(ops, report)


@app.command(context_settings={"ignore_unknown_options": True})
def scale(
    context: typer.Context,
    service: Annotated[str, typer.Argument(help="Service, such as workers.")],
    count: Annotated[str | None, typer.Argument(help="How many replicas.", show_default=False)] = None,
) -> None:
    """Set how many replicas of a service run, and remember it.

    New ones are added without touching the others; leaving ones finish their job first.

    \b
    Examples:
      tradebot scale workers 6
      tradebot scale workers=6
    """
    from tradebot_ops.operations import scale as scaling

    ops = ops_of(context)
    name, number = scaling.parse(service, count)
    with told(ops) as listen:
        report = scaling.scale(ops, name, number, listen)
    emit(ops, report)
