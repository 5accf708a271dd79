"""tradebot jobs …"""

import io
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from tradebot_ops.cli.confirm import confirm
from tradebot_ops.cli.emit import emit, ops_of, show_progress
from tradebot_ops.cli.streams import writing_stdout
from tradebot_ops.progress import ignore_progress

if TYPE_CHECKING:
    from tradebot_ops.context import Ops

app = typer.Typer(
    add_completion=False, rich_markup_mode=None, no_args_is_help=True, help="Submit, watch, cancel and count jobs."
)

Job = Annotated[str, typer.Argument(help="The job's id, or its beginning.")]


@app.callback()
def jobs() -> None:
    """Submit, watch, cancel and count jobs."""


class WithParameters(TyperCommand):
    """`jobs submit TYPE --help` goes on with the parameters of the type."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.meta[__name__] = next((word for word in args if not word.startswith("-")), "")
        return super().parse_args(ctx, args)

    def get_help(self, ctx: Any) -> str:
        text, job_type = super().get_help(ctx), ctx.meta[__name__]
        if not job_type:
            return text
        from tradebot_ops.operations.jobs import types
        from tradebot_ops.render import table

        below, ops = io.StringIO(), ops_of(ctx)
        table.render(types.described(ops, job_type), below, ops.settings.color)
        return f"{text}\n\n{below.getvalue().rstrip()}"


@app.command(cls=WithParameters)
def submit(
    context: typer.Context,
    job_type: Annotated[
        str, typer.Argument(metavar="TYPE", help="backtest, sweep, load_candles, canary, or a plug-in's.")
    ],
    payload: Annotated[
        list[str] | None, typer.Argument(metavar="NAME=VALUE", help="Parameters of the job.", show_default=False)
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Until it ended; the exit code shows how.")] = False,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="Not before: 18:30, 90m or 2026-11-28T09:30.")
    ] = None,
    every: Annotated[
        str | None, typer.Option("--every", metavar="CRON", help="Again and again: 'minute hour day month weekday'.")
    ] = None,
    zone: Annotated[str, typer.Option("--zone", metavar="ZONE", help="Of --at and --every: Europe/Zurich.")] = "UTC",
    name: Annotated[
        str | None, typer.Option("--name", metavar="SCHEDULE", help="With --every, instead of the type's name.")
    ] = None,
    notify: Annotated[
        str | None, typer.Option("--notify", metavar="WHEN", help="Send news of its `end`, or only when it is `dead`.")
    ] = None,
) -> None:
    """Submit a job: now, at a time, or again and again.

    \b
    Examples:
      tradebot jobs submit backtest --help
      tradebot jobs submit backtest symbol=AAPL strategy=sma_cross fast=10 slow=30 --wait
      tradebot jobs submit canary --at 18:30 --zone Europe/Zurich
      tradebot jobs submit canary --every '30 6 * * 1-5' --name morning
      tradebot jobs submit sweep symbol=AAPL --notify end
    """
    from tradebot_ops.operations.jobs import later

    ops = ops_of(context)
    watch = _watcher(ops) if wait else ignore_progress
    wishes = later.Wishes(at, every, zone, name, notify)
    with show_progress(ops, live=False) as on_progress:
        report = later.submit(ops, job_type, payload or [], wishes, wait=wait, watch=watch, on_progress=on_progress)
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
def show(
    context: typer.Context,
    job: Job,
    trades: Annotated[bool, typer.Option("--trades", help="The trades of a backtest, too.")] = False,
    file: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FILE", help="Write its equity, a sweep's best runs, or with --trades those."),
    ] = None,
    page: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write all of it as a page with pictures.")
    ] = None,
) -> None:
    """Show one job: state, result, or why it failed; of a backtest the course of its equity.

    \b
    Examples:
      tradebot jobs show 0d6e3c1a
      tradebot jobs show 0d6e3c1a --trades --csv trades.csv
      tradebot jobs show 0d6e3c1a --html sweep.html
      tradebot jobs show 0d6e3c1a --json
    """
    from tradebot_ops.operations.trade import results

    ops = ops_of(context)
    emit(ops, results.show(ops, job, trades=trades, file=file, page=page))


@app.command()
def compare(
    context: typer.Context,
    jobs: Annotated[list[str], typer.Argument(metavar="JOB...", help="Their ids, or beginnings of these.")],
) -> None:
    """Show the parameters and figures of several jobs side by side.

    \b
    Examples:
      tradebot jobs compare 0d6e3c1a 77ab
    """
    from tradebot_ops.operations.trade import results

    ops = ops_of(context)
    emit(ops, results.compare(ops, jobs))


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


@app.command()
def types(
    context: typer.Context,
    job_type: Annotated[str | None, typer.Argument(metavar="TYPE", help="Only this one.", show_default=False)] = None,
) -> None:
    """Show the types of jobs, or the parameters of one.

    \b
    Examples:
      tradebot jobs types
      tradebot jobs types backtest
    """
    from tradebot_ops.operations.jobs import types as work

    ops = ops_of(context)
    emit(ops, work.described(ops, job_type) if job_type else work.listed(ops))


@app.command()
def logs(
    context: typer.Context,
    job: Job,
    level: Annotated[str | None, typer.Option("--level", help="Least level: debug … critical.")] = None,
) -> None:
    """Show what the services logged about a job. With --json one document a line.

    \b
    Examples:
      tradebot jobs logs 0d6e3c1a
      tradebot jobs logs 0d6e3c1a --level error
    """
    from tradebot_ops.operations.jobs import upkeep
    from tradebot_ops.render.logs import LogWriter

    ops = ops_of(context)
    found = upkeep.logged(ops, job, level)
    with writing_stdout() as stdout:
        writer = LogWriter(stdout, ops.settings.color, ndjson=ops.settings.output == "json", raw=False)
        for entry in found:
            writer.write(entry)


@app.command()
def stats(
    context: typer.Context,
    job_type: Annotated[str | None, typer.Option("--type", help="Only this type.")] = None,
    since: Annotated[str, typer.Option("--since", help="15m, 2h, 7d or 2026-11-22T08:00 (UTC).")] = "1d",
) -> None:
    """Show for each type how many jobs ended, failed, how long they took and waited, and their memory.

    \b
    Examples:
      tradebot jobs stats
      tradebot jobs stats --type backtest --since 7d
    """
    from tradebot_ops.operations.jobs import upkeep

    ops = ops_of(context)
    emit(ops, upkeep.stats(ops, job_type, since))


@app.command()
def recover(context: typer.Context) -> None:
    """Give running jobs whose workers have vanished to other workers now.

    \b
    Examples:
      tradebot jobs recover
    """
    from tradebot_ops.operations.jobs import upkeep

    ops = ops_of(context)
    with show_progress(ops, live=False) as on_progress:
        report = upkeep.recover(ops, on_progress)
    emit(ops, report)


@app.command()
def prune(
    context: typer.Context,
    older_than: Annotated[str, typer.Option("--older-than", metavar="AGE", help="30d: of the end of a job.")],
    state: Annotated[
        list[str] | None,
        typer.Option("--state", help="succeeded, cancelled or dead; the first two when none is named."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many.")] = False,
) -> None:
    """Remove jobs that ended long ago, with all that is known of them.

    \b
    Examples:
      tradebot jobs prune --older-than 30d --dry-run
      tradebot jobs prune --older-than 30d --state dead --yes
    """
    from tradebot_ops.operations.jobs import upkeep

    ops = ops_of(context)
    agree = partial(confirm, ops)
    with show_progress(ops, live=False) as on_progress:
        report = upkeep.prune(ops, older_than, state or (), dry_run=dry_run, confirm=agree, on_progress=on_progress)
    emit(ops, report)


def _watcher(ops: "Ops") -> Any:
    from tradebot_ops.render.jobs import progress_line

    return ignore_progress if ops.settings.quiet else (lambda job: progress_line(job, sys.stderr))
