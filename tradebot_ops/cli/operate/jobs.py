"""tradebot jobs …"""

import sys
from typing import Annotated, Any

import typer

from tradebot_ops.cli.emit import emit, ops_of, show_progress
from tradebot_ops.context import Ops
from tradebot_ops.progress import ignore_progress

app = typer.Typer(
    add_completion=False, rich_markup_mode=None, no_args_is_help=True, help="Submit, watch and cancel jobs."
)

Job = Annotated[str, typer.Argument(help="The job's id, or its beginning.")]


@app.callback()
def jobs() -> None:
    """Submit, watch and cancel jobs."""


@app.command()
def submit(
    context: typer.Context,
    job_type: Annotated[
        str, typer.Argument(metavar="TYPE", help="backtest, sweep, load_candles, canary, or a plug-in's.")
    ],
    payload: Annotated[
        list[str] | None, typer.Argument(metavar="NAME=VALUE", help="Parameters of the job.", show_default=False)
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Until it ended; the exit code shows how.")] = False,
) -> None:
    """Submit a job.

    \b
    Examples:
      tradebot jobs submit backtest symbol=AAPL strategy=sma_cross fast=10 slow=30 --wait
    """
    from tradebot_ops.operations.jobs import jobs as work

    ops = ops_of(context)
    watch = _watcher(ops) if wait else ignore_progress
    with show_progress(ops, live=False) as on_progress:
        report = work.submit(ops, job_type, payload or [], wait=wait, watch=watch, on_progress=on_progress)
    emit(ops, report)


@app.command("list")
def list_(
    context: typer.Context,
    state: Annotated[str | None, typer.Option("--state", help="queued, running, succeeded, dead …")] = None,
    job_type: Annotated[str | None, typer.Option("--type", help="Only this type.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="At most so many, newest first.")] = 20,
) -> None:
    """List jobs, newest first.

    \b
    Examples:
      tradebot jobs list --state dead
    """
    from tradebot_ops.operations.jobs import jobs as work

    ops = ops_of(context)
    emit(ops, work.list_jobs(ops, state, job_type, limit))


@app.command()
def show(context: typer.Context, job: Job) -> None:
    """Show one job: state, result, or why it failed.

    \b
    Examples:
      tradebot jobs show 0d6e3c1a
      tradebot jobs show 0d6e3c1a --json
    """
    from tradebot_ops.operations.jobs import jobs as work

    ops = ops_of(context)
    emit(ops, work.show(ops, job))


@app.command()
def cancel(context: typer.Context, job: Job) -> None:
    """Cancel a job; a running one is ended.

    \b
    Examples:
      tradebot jobs cancel 0d6e3c1a
    """
    from tradebot_ops.operations.jobs import jobs as work

    ops = ops_of(context)
    with show_progress(ops, live=False) as on_progress:
        report = work.cancel(ops, job, on_progress)
    emit(ops, report)


@app.command()
def retry(context: typer.Context, job: Job) -> None:
    """Queue a dead job once more, with all its attempts.

    \b
    Examples:
      tradebot jobs retry 0198a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b
    """
    from tradebot_ops.operations.jobs import dead_letters

    ops = ops_of(context)
    with show_progress(ops, live=False) as on_progress:
        report = dead_letters.replay(ops, [job], again=True, on_progress=on_progress)
    emit(ops, report)


@app.command()
def watch(context: typer.Context, job: Job) -> None:
    """Follow a job until it ended.

    \b
    Examples:
      tradebot jobs watch 0d6e3c1a
    """
    from tradebot_ops.operations.jobs import jobs as work

    ops = ops_of(context)
    emit(ops, work.watch_job(ops, job, _watcher(ops)))


def _watcher(ops: Ops) -> Any:
    from tradebot_ops.render.jobs import progress_line

    return ignore_progress if ops.settings.quiet else (lambda job: progress_line(job, sys.stderr))
