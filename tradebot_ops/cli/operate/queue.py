"""tradebot queue …"""

from functools import partial
from typing import Annotated

import typer

from tradebot_ops.cli.confirm import confirm
from tradebot_ops.cli.emit import emit, ops_of, show_progress

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Pause, limit, drain and purge types of jobs.",
)

Type = Annotated[str, typer.Argument(metavar="TYPE", help="A type of jobs; see status.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; shown to whoever asks.")]


@app.callback()
def queue() -> None:
    """Pause, limit, drain and purge types of jobs: each type is a queue of its own."""


@app.command()
def status(context: typer.Context) -> None:
    """Show for each type what waits and since when, what runs, and what was set for it.

    \b
    Examples:
      tradebot queue status
    """
    from tradebot_ops.operations.jobs import queue as operation

    ops = ops_of(context)
    emit(ops, operation.status(ops))


@app.command()
def pause(context: typer.Context, job_type: Type, reason: Reason = "") -> None:
    """Start no job of a type until `queue resume`; what runs goes on, and new ones wait.

    \b
    Examples:
      tradebot queue pause load_candles --reason 'exchange is down'
    """
    from tradebot_ops.operations.jobs import queue as operation

    ops = ops_of(context)
    with show_progress(ops, live=False) as on_progress:
        report = operation.pause(ops, job_type, reason, on_progress)
    emit(ops, report)


@app.command()
def resume(context: typer.Context, job_type: Type) -> None:
    """Start and take jobs of a type again, after `queue pause` or `queue drain`.

    \b
    Examples:
      tradebot queue resume load_candles
    """
    from tradebot_ops.operations.jobs import queue as operation

    ops = ops_of(context)
    with show_progress(ops, live=False) as on_progress:
        report = operation.resume(ops, job_type, on_progress)
    emit(ops, report)


@app.command()
def limit(
    context: typer.Context,
    job_type: Type,
    most: Annotated[str, typer.Argument(metavar="N|none", help="So many at the same time, over all workers.")],
) -> None:
    """Let at most N jobs of a type run at the same time, over all workers.

    \b
    Examples:
      tradebot queue limit sweep 2
      tradebot queue limit sweep none
    """
    from tradebot_ops.operations.jobs import queue as operation

    ops = ops_of(context)
    with show_progress(ops, live=False) as on_progress:
        report = operation.limit(ops, job_type, most, on_progress)
    emit(ops, report)


@app.command()
def drain(context: typer.Context, job_type: Type, reason: Reason = "") -> None:
    """Take no new jobs of a type, and wait until those that are there are over.

    \b
    Examples:
      tradebot queue drain backtest --reason upgrade
    """
    from tradebot_ops.operations.jobs import queue as operation

    ops = ops_of(context)
    with show_progress(ops, live=False) as on_progress:
        report = operation.drain(ops, job_type, reason, on_progress)
    emit(ops, report)


@app.command()
def purge(
    context: typer.Context,
    job_type: Type,
    reason: Reason = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many.")] = False,
) -> None:
    """Cancel every job of a type that waits; what runs goes on.

    \b
    Examples:
      tradebot queue purge sweep --dry-run
      tradebot queue purge sweep --reason 'wrong symbol' --yes
    """
    from tradebot_ops.operations.jobs import queue as operation

    ops = ops_of(context)
    agree = partial(confirm, ops)
    with show_progress(ops, live=False) as on_progress:
        report = operation.purge(ops, job_type, reason, dry_run=dry_run, confirm=agree, on_progress=on_progress)
    emit(ops, report)
