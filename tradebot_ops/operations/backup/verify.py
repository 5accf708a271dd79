"""Prove a backup: its files are as they were written, and restored they are what was backed up."""

import time

from tradebot_ops.backups.manifest import DatabaseFigures, Manifest
from tradebot_ops.backups.shelf import AtFault, Backup, Proof, Refutation, Shelf
from tradebot_ops.context import Ops
from tradebot_ops.model import Report, Section
from tradebot_ops.operations.backup import noting, scratch
from tradebot_ops.operations.backup.tools import tools
from tradebot_ops.operations.change import change
from tradebot_ops.progress import OnProgress, Phase, ProgressEvent
from tradebot_ops.text.quantities import quantity
from tradebot_ops.text.sentences import agreed


def verify(ops: Ops, shelf: Shelf, name: str, on_progress: OnProgress, *, deep: bool = False) -> Report:
    """Restore into a database of its own beside the stack's, compare every table with the manifest, and drop it.

    With ``deep`` every page and index of it is examined as well. ``latest`` is the newest here, also where a
    verification of it failed before: what was in its way may be gone.

    Raises ``AtFault`` TB-0132 for damaged files, TB-0131 for a dump that cannot be restored, TB-0133 for data that are
    not those that were backed up; until a verification succeeds such a backup counts for nothing.
    """
    with change(ops, "backup verify", name, on_progress=on_progress):
        started = time.monotonic()
        backup = shelf.get(name, refuted_too=True)
        try:
            found = _restored(ops, backup, on_progress, deep=deep)
        except AtFault as error:
            backup.refute(Refutation(ops.clock().isoformat(timespec="seconds"), error.message))
            noting.note(ops, shelf)
            raise
        seconds = time.monotonic() - started
        backup.remember(Proof(ops.clock().isoformat(timespec="seconds"), seconds))
        warnings = noting.note(ops, shelf)
        on_progress(ProgressEvent(backup.id, Phase.DONE, "equal to its manifest"))
    line = agreed(
        f"Backup {backup.id} restores: {len(found.tables)} tables with {found.rows} rows, equal to its manifest"
        f"{', and every page and index is sound' if deep else ''}; {quantity(seconds, 's')}."
    )
    data = {"id": backup.id, "rows": found.rows, "tables": len(found.tables), "seconds": round(seconds, 3)}
    return Report(data=data | {"deep": deep}, sections=(Section(lines=(line,)),), warnings=warnings)


def _restored(ops: Ops, backup: Backup, on_progress: OnProgress, *, deep: bool) -> DatabaseFigures:
    manifest = check_files(backup)
    used = tools(ops)
    with scratch.scratch(ops, f"tradebot_verify_{backup.id.lower()}") as database:
        on_progress(ProgressEvent(backup.id, Phase.PREPARING, f"restoring into {database}"))
        found = scratch.restore_into(ops, used, backup, manifest, database)
        if deep:
            on_progress(ProgressEvent(backup.id, Phase.PREPARING, "examining every page and index"))
            used.examine(database)
    return found


def check_files(backup: Backup) -> Manifest:
    """The manifest of a backup whose files are all as they were written. Raises ``AtFault`` TB-0132."""
    wrong = (backup.fault,) if backup.manifest is None else backup.damaged_files()
    if wrong or backup.manifest is None:
        message = f"The backup {backup.id} is damaged: {wrong[0]}"
        raise AtFault(
            message,
            code="TB-0132",
            hint="Use another one: tradebot backup list",
            detail=wrong,
        )
    return backup.manifest
