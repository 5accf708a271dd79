"""tradebot routine …"""

from typing import Annotated

import typer

from tradebot_ops.cli.emit import emit, ops_of, show_progress

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Do what a machine can of the maintenance lists.",
)
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 3 for warnings alone.")]


@app.callback()
def routine() -> None:
    """Do what a machine can of the maintenance lists, and say what is left for a person."""


@app.command()
def daily(context: typer.Context, strict: Strict = False) -> None:
    """Dashboard, critical alerts, backups: each item done, found or skipped. Changes nothing.

    \b
    Examples:
      tradebot routine daily
    """
    _run(context, "daily", strict=strict)


@app.command()
def weekly(context: typer.Context, strict: Strict = False) -> None:
    """Trends, dead jobs, disk and logs, how good alerts were. Changes nothing.

    \b
    Examples:
      tradebot routine weekly --strict
    """
    _run(context, "weekly", strict=strict)


@app.command()
def monthly(context: typer.Context, strict: Strict = False) -> None:
    """Capacity, dependencies, recovery. With --yes the newest backup is restored beside the data, and dropped.

    \b
    Examples:
      tradebot routine monthly --yes
    """
    _run(context, "monthly", strict=strict)


@app.command()
def quarterly(context: typer.Context, strict: Strict = False) -> None:
    """Security, performance, documentation, training. Changes nothing.

    \b
    Examples:
      tradebot routine quarterly --json
    """
    _run(context, "quarterly", strict=strict)


def _run(context: typer.Context, name: str, *, strict: bool) -> None:
    from tradebot_ops.routine import run

    ops = ops_of(context)
    with show_progress(ops, live=False) as on_progress:
        report = run.routine(ops, name, on_progress, strict=strict)
    emit(ops, report)
