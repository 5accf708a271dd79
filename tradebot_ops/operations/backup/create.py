"""Make a backup: one snapshot of the database, counted and dumped at once, read back, and only then given its name."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from tradebot_ops.audit.chain import Head
from tradebot_ops.audit.log import AuditLog
from tradebot_ops.backups.manifest import DatabaseFigures, Manifest
from tradebot_ops.backups.shelf import CONFIG, DUMP, Backup, Draft, Shelf
from tradebot_ops.clients.postgres_session import Session
from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report, Section
from tradebot_ops.operations.backup import configuration, noting, prune
from tradebot_ops.operations.backup.figures import figures, revision, roles, server
from tradebot_ops.operations.backup.tools import Tools, tools
from tradebot_ops.operations.change import actor, change
from tradebot_ops.private_folder import writable
from tradebot_ops.progress import OnProgress, Phase, ProgressEvent
from tradebot_ops.text.quantities import human_bytes, quantity
from tradebot_ops.text.sentences import agreed
from tradebot_ops.version import version

#: So much more than the last backup, or the database, has to be free before a new one begins.
ROOM = 2


def shelf_of(ops: Ops) -> Shelf:
    return Shelf(ops.settings.backups / ops.settings.project)


def create(ops: Ops, on_progress: OnProgress, *, keep: int | None = None) -> Report:
    """Back the project up while it runs. With ``keep`` older backups are cleared away, once this one is whole.

    Raises ``OpsError``; then there is no new backup, and no old one is gone, unless it was the clearing that failed.
    """
    with change(ops, "backup create", on_progress=on_progress):
        started = time.monotonic()
        shelf = shelf_of(ops)
        used = tools(ops)
        with ops.postgres.session() as session:
            _check_versions(session, used)
            _check_room(session, shelf)
            with shelf.draft(ops.clock()) as draft:
                made = _write(ops, session, used, draft, on_progress)
        seconds = time.monotonic() - started
        warnings = noting.note(ops, shelf)
        gone = _cleared(ops, shelf, made, keep) if keep is not None else ()
    return _report(made, seconds, gone, (*_clock_warning(shelf, made), *warnings))


def _cleared(ops: Ops, shelf: Shelf, made: Backup, keep: int) -> tuple[str, ...]:
    try:
        return prune.noted(ops, shelf, keep, None, made.id)
    except OpsError as error:
        error.detail = (*error.detail, f"The backup {made.id} is whole; older ones could not be cleared away.")
        raise


def _write(ops: Ops, session: Session, used: Tools, draft: Draft, on_progress: OnProgress) -> Backup:
    def at(phase: Phase, line: str) -> None:
        on_progress(ProgressEvent("backup", phase, line))

    logins, release = roles(session), server(session)
    with session.snapshot() as snapshot:
        taken_at = ops.clock().isoformat(timespec="seconds")
        schema = revision(session)
        at(Phase.PREPARING, "counting and dumping")
        found = _counted_and_dumped(session, used, snapshot, draft.folder / DUMP)
    at(Phase.PREPARING, "reading the dump back")
    with ThreadPoolExecutor(max_workers=1) as pool:
        kept = pool.submit(draft.keep, DUMP)
        used.read(draft.folder / DUMP)
        kept.result()
    with writable(draft.folder / CONFIG):
        configuration.pack(ops, draft.folder / CONFIG)
    manifest = Manifest(
        project=ops.settings.project,
        taken_at=taken_at,
        tradebot=version(),
        engine=ops.engine.name,
        server=release,
        revision=schema,
        database=found,
        roles=logins,
        by=actor(ops),
        audit=AuditLog(ops.state.folder).noted() or Head(),
    )
    made = draft.finish(manifest)
    at(Phase.DONE, made.id)
    return made


def _counted_and_dumped(session: Session, used: Tools, snapshot: str, target: Path) -> DatabaseFigures:
    """Both of the same snapshot, at the same time: either takes as long as the other. A dump that fails or is
    interrupted does not wait for the count.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:
        counted = pool.submit(figures, session)
        try:
            used.dump(snapshot, target)
        except BaseException:
            session.cancel()
            raise
        return counted.result()


def _check_versions(session: Session, used: Tools) -> None:
    """An older pg_dump refuses a newer server, a newer one writes what this server's pg_restore cannot read."""
    mine, its = used.version(), int(server(session).partition(".")[0])
    if mine not in {0, its}:
        raise OpsError(
            f"pg_dump is of version {mine} and Postgres of version {its}, so no backup was begun.",
            code="TB-0846",
            hint="Restart Postgres with the programs that lie beside it: tradebot restart postgres",
        )


def _check_room(session: Session, shelf: Shelf) -> None:
    """A backup that fills the disk takes the database with it."""
    import shutil

    last = [each.size for each in shelf.all()[-1:]]
    size = max([*last, int(session.rows("SELECT pg_database_size(current_database()) AS size")[0]["size"])])
    place = next(folder for folder in (shelf.folder, *shelf.folder.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    if free < ROOM * size:
        has, needs = human_bytes(free), human_bytes(ROOM * size)
        raise OpsError(
            f"{place} has {has} free, and a backup may take {needs}; no backup was begun.",
            code="TB-0845",
            hint="Free space, `tradebot backup prune`, or name another folder: TRADEBOT_BACKUPS=/path tradebot backup",
        )


def _clock_warning(shelf: Shelf, made: Backup) -> tuple[str, ...]:
    newest = shelf.all()[-1]
    if newest.at <= made.at + timedelta(seconds=1):
        return ()
    when = "The clock of this host was set back"
    return (f"{when}: the backup {newest.id} is dated after this one, and `latest` means it until then.",)


def _report(made: Backup, seconds: float, gone: tuple[str, ...], warnings: tuple[str, ...]) -> Report:
    found = made.manifest.database if made.manifest else DatabaseFigures()
    held = agreed(f"{found.rows} rows of {len(found.tables)} tables, {human_bytes(made.size)}")
    lines = [
        f"Backup {made.id}: {held}, read back, in {quantity(seconds, 's')}.",
        f"It lies in {made.folder}, on this host, not encrypted.",
        f"Prove that it restores: tradebot backup verify {made.id}",
    ]
    if gone:
        lines.insert(1, f"Cleared away {len(gone)} older: {', '.join(gone)}.")
    data = {
        "id": made.id,
        "folder": str(made.folder),
        "bytes": made.size,
        "seconds": round(seconds, 3),
        "rows": found.rows,
        "tables": len(found.tables),
        "removed": list(gone),
    }
    return Report(data=data, sections=(Section(lines=tuple(lines)),), warnings=warnings)
