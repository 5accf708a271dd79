"""tradebot dlq …"""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from tradebot_ops.cli.confirm import confirm
from tradebot_ops.cli.emit import emit, ops_of, show_progress

app = typer.Typer(
    add_completion=False, rich_markup_mode=None, no_args_is_help=True, help="Show, replay, export and purge dead jobs."
)

Jobs = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Ids of dead jobs.", show_default=False)]
Group = Annotated[str | None, typer.Option("--group", metavar="GROUP", help="All that failed alike; see summary.")]
Every = Annotated[bool, typer.Option("--all", help="Every dead job that is not in quarantine.")]


@app.callback()
def dlq() -> None:
    """Show, replay, export and purge dead jobs (dead letters)."""


@app.command()
def summary(context: typer.Context) -> None:
    """Group dead jobs by what they failed with.

    \b
    Examples:
      tradebot dlq summary
    """
    from tradebot_ops.operations.jobs import dead_letters

    ops = ops_of(context)
    emit(ops, dead_letters.summary(ops))


@app.command("list")
def list_(
    context: typer.Context,
    group: Group = None,
    job_type: Annotated[str | None, typer.Option("--type", metavar="TYPE", help="Only this type.")] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, max=200, help="At most so many.")] = 20,
) -> None:
    """List dead jobs: whose fault, which group, last worker, peak memory.

    \b
    Examples:
      tradebot dlq list --type backtest
    """
    from tradebot_ops.operations.jobs import dead_letters

    ops = ops_of(context)
    emit(ops, dead_letters.list_dead(ops, group, job_type, limit))


@app.command()
def show(context: typer.Context, job: Annotated[str, typer.Argument(help="The job's id, or its beginning.")]) -> None:
    """Show why a job died: whose fault, how often, which others died alike, and what to type next.

    \b
    Examples:
      tradebot dlq show 0d6e3c1a
    """
    from tradebot_ops.operations.jobs import autopsy

    ops = ops_of(context)
    emit(ops, autopsy.show(ops, job))


@app.command()
def replay(
    context: typer.Context,
    jobs: Jobs = None,
    group: Group = None,
    every: Every = False,
    again: Annotated[bool, typer.Option("--again", help="Also those that died again after a replay.")] = False,
    rate: Annotated[float, typer.Option("--rate", metavar="N", min=0.01, max=1000, help="At most N a second.")] = 10,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many.")] = False,
) -> None:
    """Queue dead jobs once more. Typed again after it was interrupted, it goes on where it stopped.

    \b
    Examples:
      tradebot dlq replay --group 5f1c2a --rate 5
    """
    from tradebot_ops.operations.jobs import dead_letters

    ops = ops_of(context)
    with show_progress(ops, live=False) as on_progress:
        report = dead_letters.replay(
            ops, jobs or [], group=group, every=every, again=again, rate=rate, dry_run=dry_run, on_progress=on_progress
        )
    emit(ops, report)


@app.command()
def purge(context: typer.Context, jobs: Jobs = None, group: Group = None, every: Every = False) -> None:
    """Remove dead jobs with everything that is known of them.

    \b
    Examples:
      tradebot dlq purge --group 5f1c2a --yes
    """
    from tradebot_ops.operations.jobs import dead_letters

    ops = ops_of(context)
    agree = partial(confirm, ops)
    with show_progress(ops, live=False) as on_progress:
        report = dead_letters.purge(ops, jobs or [], group=group, every=every, confirm=agree, on_progress=on_progress)
    emit(ops, report)


@app.command()
def export(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Written for you alone, one JSON document a line.")],
    group: Group = None,
    every: Every = False,
) -> None:
    """Write dead jobs to a file, without the project's secrets; they stay dead here.

    \b
    Examples:
      tradebot dlq export dead.jsonl --all
      tradebot dlq export dead.jsonl --group 5f1c2a
    """
    from tradebot_ops.operations.jobs import letters_file

    ops = ops_of(context)
    with show_progress(ops, live=False) as on_progress:
        report = letters_file.export(ops, file, group=group, every=every, on_progress=on_progress)
    emit(ops, report)


@app.command("import")
def import_(
    context: typer.Context, file: Annotated[Path, typer.Argument(help="A file that `dlq export` wrote.")]
) -> None:
    """Queue the jobs of a file, each once however often the file is imported.

    \b
    Examples:
      tradebot dlq import dead.jsonl
    """
    from tradebot_ops.operations.jobs import letters_file

    ops = ops_of(context)
    with show_progress(ops, live=False) as on_progress:
        report = letters_file.import_(ops, file, on_progress=on_progress)
    emit(ops, report)


@app.command()
def quarantine(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="GROUP|TYPE", help="A group of dead jobs, or a job type.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; shown to whoever asks.")] = "",
    lift: Annotated[bool, typer.Option("--lift", help="Take it back.")] = False,
) -> None:
    """Set dead jobs aside, also those to come: they count in no queue length, and --all leaves them out.

    New jobs of the type run as before.

    \b
    Examples:
      tradebot dlq quarantine 5f1c2a --reason 'symbol is delisted'
      tradebot dlq quarantine 5f1c2a --lift
    """
    from tradebot_ops.operations.jobs import dead_letters

    ops = ops_of(context)
    with show_progress(ops, live=False) as on_progress:
        report = dead_letters.quarantine(ops, name, reason, lift=lift, on_progress=on_progress)
    emit(ops, report)
