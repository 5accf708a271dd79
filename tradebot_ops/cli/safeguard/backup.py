"""tradebot backup …"""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from tradebot_ops.cli.confirm import confirm
from tradebot_ops.cli.emit import emit, ops_of, show_progress

app = typer.Typer(add_completion=False, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(metavar="BACKUP", help="An id of `backup list`, latest, or a backup's folder.")]
Keep = Annotated[
    int | None,
    typer.Option("--keep", metavar="COUNT", min=1, help="Then clear away all but so many."),
]


@app.callback(invoke_without_command=True)
def backup(context: typer.Context) -> None:
    """Back the project up while it runs; the same as `backup create`.

    Each backup is one moment of the database, read back before it counts. `verify` proves that it restores.

    \b
    Examples:
      tradebot backup
      tradebot backup verify latest
      tradebot backup restore latest
    """
    if context.invoked_subcommand is None:
        create(context)


@app.command()
def create(context: typer.Context, keep: Keep = None) -> None:
    """Back the project up while it runs: database and configuration, without secrets.

    \b
    Examples:
      tradebot backup create
      tradebot backup create --keep 7
    """
    from tradebot_ops.operations.backup import create as operation

    ops = ops_of(context)
    with show_progress(ops, live=False) as on_progress:
        report = operation.create(ops, on_progress, keep=keep)
    emit(ops, report)


@app.command("list")
def list_(context: typer.Context) -> None:
    """List the backups of this project: when, how large, and whether a restore was proved.

    \b
    Examples:
      tradebot backup list
    """
    from tradebot_ops.operations.backup import listing
    from tradebot_ops.operations.backup.create import shelf_of

    ops = ops_of(context)
    emit(ops, listing.listing(ops, shelf_of(ops)))


@app.command()
def show(context: typer.Context, name: Name = "latest") -> None:
    """Show what a backup holds: each table with its rows.

    \b
    Examples:
      tradebot backup show latest
    """
    from tradebot_ops.operations.backup import listing
    from tradebot_ops.operations.backup.create import shelf_of

    ops = ops_of(context)
    emit(ops, listing.show(ops, shelf_of(ops), name))


@app.command()
def verify(
    context: typer.Context,
    name: Name = "latest",
    deep: Annotated[bool, typer.Option("--deep", help="Examine every page and index as well.")] = False,
) -> None:
    """Prove a backup: restore it beside the stack's database, compare every table, and drop it again.

    \b
    Examples:
      tradebot backup verify
      tradebot backup verify latest --deep
    """
    from tradebot_ops.operations.backup import verify as operation
    from tradebot_ops.operations.backup.create import shelf_of

    ops = ops_of(context)
    with show_progress(ops, live=False) as on_progress:
        report = operation.verify(ops, shelf_of(ops), name, on_progress, deep=deep)
    emit(ops, report)


@app.command()
def restore(
    context: typer.Context,
    name: Name,
    into: Annotated[str, typer.Option("--into", metavar="NAME", help="A new database beside the stack's.")] = "",
    only: Annotated[str, typer.Option("--only", metavar="PART", help="postgres or config.")] = "postgres",
    to: Annotated[Path | None, typer.Option("--to", metavar="FOLDER", help="Where --only config goes.")] = None,
    stop: Annotated[bool, typer.Option("--stop", help="Stop first what uses the data.")] = False,
    from_project: Annotated[
        str, typer.Option("--from-project", metavar="NAME", help="Take the backup of that other project.")
    ] = "",
    force: Annotated[
        bool, typer.Option("--force", help="Although the watched bot holds a position; with --reason.")
    ] = False,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why it is forced; for the audit log.")] = "",
) -> None:
    """Put a backup in place of the project's data; the old database is kept, and no job starts by itself.

    It goes into a new database, is compared with the manifest, and only then takes the name of the old one.

    \b
    Examples:
      tradebot backup restore latest --stop
      tradebot backup restore latest --into yesterday
      tradebot backup restore latest --only config --to old-config
    """
    from tradebot_ops.operations.backup import restore as operation
    from tradebot_ops.operations.backup.create import shelf_of
    from tradebot_ops.operations.trade.open_positions import reason_of

    ops, forced = ops_of(context), reason_of(force=force, reason=reason)
    shelf = shelf_of(ops)
    if operation.is_configuration(only):
        emit(ops, operation.restore_configuration(ops, shelf, name, to and ops.settings.cwd / to))
        return
    with show_progress(ops, live=False) as on_progress:
        if into:
            report = operation.restore_beside(ops, shelf, name, into, on_progress, from_project=from_project)
        else:
            report = operation.restore(
                ops,
                shelf,
                name,
                partial(confirm, ops),
                on_progress,
                from_project=from_project,
                stop_first=stop,
                forced=forced,
            )
    emit(ops, report)


@app.command()
def copy(
    context: typer.Context,
    name: Name,
    destination: Annotated[str, typer.Argument(metavar="DEST", help="A folder, or HOST:FOLDER through ssh.")],
) -> None:
    """Copy a backup to another disk or host, read it back there, and compare every file.

    The same again reads the copy that is there back once more. Nothing is encrypted.

    \b
    Examples:
      tradebot backup copy latest /mnt/usb
      tradebot backup copy latest backup@nas:/srv/backups
    """
    from tradebot_ops.operations.backup.copying import copy as operation
    from tradebot_ops.operations.backup.create import shelf_of

    ops = ops_of(context)
    with show_progress(ops, live=False) as on_progress:
        report = operation.copy(ops, shelf_of(ops), name, destination, on_progress)
    emit(ops, report)


@app.command()
def prune(
    context: typer.Context,
    keep: Annotated[int | None, typer.Option("--keep", metavar="COUNT", min=1, help="The newest so many stay.")] = None,
    younger_than: Annotated[str, typer.Option("--younger-than", metavar="AGE", help="These stay, too: 30d.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say which.")] = False,
) -> None:
    """Clear old backups away; the newest one that was proved to restore always stays.

    \b
    Examples:
      tradebot backup prune --dry-run
      tradebot backup prune --keep 14 --younger-than 30d --yes
    """
    from tradebot_ops.operations.backup import prune as operation
    from tradebot_ops.operations.backup.create import shelf_of

    ops = ops_of(context)
    agree = partial(confirm, ops)
    emit(ops, operation.prune(ops, shelf_of(ops), keep, younger_than, agree, dry_run=dry_run))


@app.command()
def schedule(
    context: typer.Context,
    at: Annotated[str, typer.Option("--at", metavar="HH:MM", help="When, by the clock of this host.")] = "03:15",
    keep: Annotated[int, typer.Option("--keep", metavar="COUNT", min=1, help="Clear away all but so many.")] = 14,
    form: Annotated[str, typer.Option("--form", metavar="systemd|cron", help="For which scheduler.")] = "systemd",
    copy_to: Annotated[str, typer.Option("--copy-to", metavar="DEST", help="Then copy it there, too.")] = "",
) -> None:
    """Print what makes this host back the project up each day, and prove each backup. Installs nothing.

    \b
    Examples:
      tradebot backup schedule --at 03:15
      tradebot backup schedule --form cron --keep 30 --copy-to /mnt/usb
    """
    from tradebot_ops.operations.backup import schedule as operation

    ops = ops_of(context)
    emit(ops, operation.schedule(ops, at, keep, form, copy_to))
