"""Put a backup in place of the database: into a new one, compared with the manifest, then swapped by name."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql

from tradebot_ops.backups.manifest import Manifest
from tradebot_ops.backups.shelf import Backup, Shelf, refuted_since
from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report, Section
from tradebot_ops.operations.backup import configuration, guard, noting, scratch
from tradebot_ops.operations.backup.halt import halt
from tradebot_ops.operations.backup.tools import Tools, tools
from tradebot_ops.operations.backup.verify import check_files
from tradebot_ops.operations.change import actor, change
from tradebot_ops.operations.lifecycle.startstop import stop
from tradebot_ops.operations.lifecycle.up import up
from tradebot_ops.operations.trade import open_positions
from tradebot_ops.progress import OnProgress, Phase, ProgressEvent
from tradebot_ops.records import WorkersTold
from tradebot_ops.text.quantities import quantity
from tradebot_ops.text.sentences import agreed
from tradebot_ops.text.suggest import did_you_mean

PARTS = ("postgres", "config")
_SESSIONS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ANY(%s) AND pid <> pg_backend_pid()
"""
_TABLES = "SELECT count(*) AS tables FROM pg_tables WHERE schemaname = 'public'"


@dataclass(frozen=True)
class Restored:
    """Done: where the old database is (empty: there was none), the jobs that are not over, and how long it took."""

    rows: int
    tables: int
    aside: str
    jobs: Mapping[str, int]
    seconds: float


def restore(
    ops: Ops,
    shelf: Shelf,
    name: str,
    confirm: Callable[[str], None],
    on_progress: OnProgress,
    *,
    from_project: str = "",
    stop_first: bool = False,
    forced: str = "",
) -> Report:
    """Restore a backup as this project's database. Nothing runs afterwards but the stores, and no job starts.

    The database that is there is kept beside it. Whatever fails before the swap, it stays in its place. Raises
    ``OpsError``: TB-0130 … TB-0133 for the backup itself, TB-0921 … TB-0924 for what a guard refuses,
    and what ``open_positions.check_flat`` raises, unless it is ``forced`` for that reason.
    """
    backup = shelf.get(name)
    manifest = check_files(backup)
    guard.check_origin(ops, backup, manifest, from_project)
    if not stop_first:
        guard.check_stopped(guard.users(ops), ops.settings.project)
    open_positions.check_flat(ops, forced)
    confirm(f"This puts the backup {backup.id} in place of the database of {ops.settings.project}.")
    with change(ops, "backup restore", backup.id, *open_positions.words(forced), on_progress=on_progress):
        started = time.monotonic()
        if running := guard.users(ops):
            stop(ops, sorted({found.service for found in running}), on_progress, forced=forced)
        services = [store for store in guard.STORES if store in ops.stack.services]
        up(ops, services, on_progress, prove=False)
        try:
            rows, tables, aside, jobs = _swap(ops, backup, manifest, on_progress)
        except OpsError as error:
            error.detail = (*error.detail, "The database is as it was; start again with: tradebot up")
            raise
        if "migrate" in ops.stack.services:
            up(ops, ["migrate"], on_progress, prove=False)
        # What the restored data say of backups is as old as they are.
        warnings = (*refuted_since(shelf, backup), *noting.note(ops, shelf))
        if jobs is None:  # the migration has made the table that a halt needs
            with ops.postgres.session() as session:
                jobs = halt(session, f"restored from backup {backup.id}", actor(ops))
    done = Restored(rows, tables, aside, jobs or {}, time.monotonic() - started)
    return _report(backup, done, tools(ops).user, warnings)


def restore_beside(
    ops: Ops, shelf: Shelf, name: str, database: str, on_progress: OnProgress, *, from_project: str = ""
) -> Report:
    """Restore into another database of the same server, to look at it; the stack goes on as it is."""
    backup = shelf.get(name)
    manifest = check_files(backup)
    guard.check_origin(ops, backup, manifest, from_project)
    with change(ops, "backup restore", backup.id, "--into", database, on_progress=on_progress):
        used = tools(ops)
        guard.check_server(backup, manifest, used.version())
        with ops.postgres.session(scratch.ADMIN) as admin:
            if scratch.exists(admin, database):
                raise OpsError(
                    f"There is a database {database} already; nothing was done.",
                    code="TB-0926",
                    hint="Name one that does not exist: a restore always makes a new one.",
                )
        on_progress(ProgressEvent(backup.id, Phase.PREPARING, f"restoring into {database}"))
        found = scratch.restore_into(ops, used, backup, manifest, database)
    lines = (
        agreed(f"Backup {backup.id} lies in the database {database}: {found.rows} rows of {len(found.tables)} tables."),
        f"Look at it: tradebot exec -it postgres -- psql -U {used.user} -d {database}",
        f"Drop it: tradebot exec postgres -- dropdb -U {used.user} {database}",
    )
    data = {"id": backup.id, "database": database, "rows": found.rows, "tables": len(found.tables)}
    return Report(data=data, sections=(Section(lines=lines),), warnings=refuted_since(shelf, backup))


def restore_configuration(ops: Ops, shelf: Shelf, name: str, target: Path | None) -> Report:
    """Write the configuration of a backup into an empty folder, to compare with or to start from."""
    backup = shelf.get(name)
    check_files(backup)
    folder = target or ops.settings.cwd / f"restored-{backup.id}"
    names = configuration.unpack(backup, folder)
    lines = (
        agreed(f"Wrote {len(names)} files of backup {backup.id} into {folder}."),
        f"Its settings, without secrets, are in {folder / configuration.SETTINGS}.",
    )
    return Report(
        data={"id": backup.id, "folder": str(folder), "files": list(names)},
        sections=(Section(lines=lines),),
        warnings=refuted_since(shelf, backup),
    )


def is_configuration(part: str) -> bool:
    """Which part of a backup was asked for. Raises ``OpsError`` TB-0266 for one that it has not."""
    if part not in PARTS:
        raise OpsError(
            f"'{part}' is no part of a backup.", code="TB-0266", hint=f"{did_you_mean(part, PARTS)} {', '.join(PARTS)}."
        )
    return part == "config"


def _swap(
    ops: Ops, backup: Backup, manifest: Manifest, on_progress: OnProgress
) -> tuple[int, int, str, Mapping[str, int] | None]:
    """Make the new database and give it the name of the old one; until the last step nothing has changed."""
    used = tools(ops)
    guard.check_server(backup, manifest, used.version())
    fresh = f"{used.database}_restoring"
    on_progress(ProgressEvent(backup.id, Phase.PREPARING, f"restoring into {fresh}"))
    scratch.remove(ops, fresh)
    found = scratch.restore_into(ops, used, backup, manifest, fresh)
    with ops.postgres.session(fresh) as session:
        jobs = halt(session, f"restored from backup {backup.id}", actor(ops))
    if "redis" in ops.stack.services:
        ops.redis.forget_everything()
        ops.state.store(WorkersTold())
    for replica in ops.engine.list():
        if replica.service == "migrate" and not replica.state.alive:
            ops.engine.remove(replica)  # else the next `up` takes the schema for migrated
    aside = _rename(ops, used, fresh)
    on_progress(ProgressEvent(backup.id, Phase.DONE, "in place, equal to its manifest"))
    return found.rows, len(found.tables), aside, jobs


def _rename(ops: Ops, used: Tools, fresh: str) -> str:
    """Both names in one transaction: there is never a moment without a database."""
    aside = f"{used.database}_before_{ops.clock():%Y%m%dt%H%M%S}"
    with ops.postgres.session() as session:
        empty = session.rows(_TABLES)[0]["tables"] == 0
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    with ops.postgres.session(scratch.ADMIN) as admin:
        admin.rows(_SESSIONS, ([used.database, fresh],))
        with admin.transaction():
            admin.rows(rename.format(sql.Identifier(used.database), sql.Identifier(aside)))
            admin.rows(rename.format(sql.Identifier(fresh), sql.Identifier(used.database)))
        if empty:
            scratch.drop(admin, aside)
    return "" if empty else aside


def _report(backup: Backup, done: Restored, user: str, warnings: tuple[str, ...]) -> Report:
    held = agreed(f"{done.rows} rows of {done.tables} tables, equal to its manifest")
    then = ", ".join(f"{count} {state}" for state, count in sorted(done.jobs.items())) or "none that were not over"
    lines = [
        f"Backup {backup.id} is in place: {held}; {quantity(done.seconds, 's')}.",
        f"The stack is halted: no job starts. Jobs at the moment of the backup: {then}.",
    ]
    if done.jobs.get("running"):
        lines.append("Those that ran then run again after the resume: the data know nothing of what they did.")
    if done.aside:
        lines.append(f"The old database is kept as {done.aside}, in the same server.")
        lines.append(f"Drop it once you need it no more: tradebot exec postgres -- dropdb -U {user} {done.aside}")
    next_ = ("tradebot up", "tradebot jobs list --state queued", "tradebot dlq list", "tradebot resume")
    data = {
        "id": backup.id,
        "rows": done.rows,
        "tables": done.tables,
        "seconds": round(done.seconds, 3),
        "aside": done.aside or None,
        "jobs": dict(done.jobs),
    }
    return Report(data=data, sections=(Section(lines=tuple(lines)), Section("Next", lines=next_)), warnings=warnings)
