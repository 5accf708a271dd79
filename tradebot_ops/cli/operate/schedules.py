"""tradebot schedules …"""

from typing import Annotated

import typer

from tradebot_ops.cli.emit import emit, ops_of, show_progress

app = typer.Typer(
    add_completion=False, rich_markup_mode=None, no_args_is_help=True, help="Show, pause and remove schedules."
)

Name = Annotated[str, typer.Argument(metavar="SCHEDULE", help="Its name; see list.")]


@app.callback()
def schedules() -> None:
    """Show, pause and remove schedules of jobs; `tradebot jobs submit TYPE --every CRON` makes them."""


@app.command("list")
def list_(context: typer.Context) -> None:
    """List the schedules: when each comes next and came last.

    \b
    Examples:
      tradebot schedules list
    """
    from tradebot_ops.operations.jobs import later

    ops = ops_of(context)
    emit(ops, later.schedules(ops))


@app.command()
def pause(context: typer.Context, name: Name) -> None:
    """Make no jobs of a schedule until `schedules resume`.

    \b
    Examples:
      tradebot schedules pause nightly
    """
    from tradebot_ops.operations.jobs import later

    ops = ops_of(context)
    with show_progress(ops, live=False) as on_progress:
        report = later.pause(ops, name, paused=True, on_progress=on_progress)
    emit(ops, report)


@app.command()
def resume(context: typer.Context, name: Name) -> None:
    """Let a schedule go on with its next time from now.

    \b
    Examples:
      tradebot schedules resume nightly
    """
    from tradebot_ops.operations.jobs import later

    ops = ops_of(context)
    with show_progress(ops, live=False) as on_progress:
        report = later.pause(ops, name, paused=False, on_progress=on_progress)
    emit(ops, report)


@app.command()
def remove(context: typer.Context, name: Name) -> None:
    """Remove a schedule; the jobs that it made stay.

    \b
    Examples:
      tradebot schedules remove nightly
    """
    from tradebot_ops.operations.jobs import later

    ops = ops_of(context)
    with show_progress(ops, live=False) as on_progress:
        report = later.remove(ops, name, on_progress)
    emit(ops, report)
