"""The backups of a project, and one of them in full."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from tradebot_ops.backups.copies import copies_of
from tradebot_ops.backups.shelf import Backup, Shelf
from tradebot_ops.context import Ops
from tradebot_ops.model import Finding, Level, Report, Section, Table
from tradebot_ops.text.quantities import ago, human_bytes

_COLUMNS = ("id", "taken", "rows", "size", "schema", "proved to restore")


def listing(ops: Ops, shelf: Shelf) -> Report:
    """Every backup, the newest first; one that is damaged, or whose verification failed, is a failure."""
    now = ops.clock()
    found = shelf.all()[::-1]
    rows = tuple(_row(each, now) for each in found)
    findings = tuple(finding for each in found for finding in _against(each))
    lines = (f"In {shelf.folder}.",) if found else ("There is no backup yet. Make one: tradebot backup",)
    tables = (Table(_COLUMNS, rows),) if found else ()
    data = {"folder": str(shelf.folder), "backups": [_document(each) for each in found]}
    return Report(data=data, sections=(Section(lines=lines, tables=tables),), findings=findings)


def show(ops: Ops, shelf: Shelf, name: str) -> Report:
    """Show what one holds: where from, when, and each table with its rows."""
    backup = shelf.get(name, refuted_too=True)
    manifest = backup.manifest
    if manifest is None:
        return Report(data=_document(backup), findings=_against(backup))
    facts = (
        ("project", manifest.project),
        ("taken", f"{manifest.taken_at} ({ago(manifest.taken_at, ops.clock())} ago), by {manifest.by}"),
        ("from", f"tradebot {manifest.tradebot}, {manifest.engine} engine, Postgres {manifest.server}"),
        ("schema", manifest.revision or "never migrated"),
        ("size", human_bytes(backup.size)),
        ("proved to restore", _proof(backup, ops.clock())),
        *(("copy", f"{each.place}, read back {ago(each.at, ops.clock())} ago") for each in copies_of(backup.folder)),
        ("folder", str(backup.folder)),
    )
    tables = tuple((name, str(table.rows)) for name, table in sorted(manifest.database.tables.items()))
    data = {**_document(backup), "tables": {name: int(rows) for name, rows in tables}}
    sections = (
        Section(tables=(Table(("", ""), facts),)),
        Section("Tables", tables=(Table(("table", "rows"), tables),)),
    )
    return Report(data=data, sections=sections, findings=_against(backup))


def _against(backup: Backup) -> tuple[Finding, ...]:
    """A failure for a backup that is not usable."""
    if backup.usable:
        return ()
    kind, hint = "backup.damaged", f"rm -r {backup.folder}"
    if backup.refutation:
        kind, hint = "backup.refuted", f"tradebot backup; verify this one again: tradebot backup verify {backup.id}"
    return (Finding(Level.FAIL, kind, backup.damage, hint=hint),)


def _row(backup: Backup, now: datetime) -> tuple[str, ...]:
    manifest = backup.manifest
    if manifest is None:
        return (backup.id, "", "", human_bytes(backup.size), "", "damaged")
    rows = f"{manifest.database.rows}"
    taken = f"{ago(manifest.taken_at, now)} ago"
    return (backup.id, taken, rows, human_bytes(backup.size), manifest.revision, _proof(backup, now))


def _proof(backup: Backup, now: datetime) -> str:
    if backup.refutation:
        return f"failed {ago(backup.refutation.at, now)} ago" if backup.refutation.at else "failed"
    return f"{ago(backup.proof.at, now)} ago" if backup.proof else "not yet"


def _document(backup: Backup) -> Mapping[str, Any]:
    manifest = backup.manifest
    known = (
        {
            "project": manifest.project,
            "taken_at": manifest.taken_at,
            "rows": manifest.database.rows,
            "schema_revision": manifest.revision,
            "postgres": manifest.server,
        }
        if manifest
        else {}
    )
    return {
        "id": backup.id,
        "folder": str(backup.folder),
        "bytes": backup.size,
        "damaged": manifest is None,
        "copies": [asdict(each) for each in copies_of(backup.folder)],
        "restored_at": backup.proof.at if backup.proof else None,
        "restore_seconds": backup.proof.seconds if backup.proof else None,
        "refuted_at": backup.refutation.at if backup.refutation else None,
        "refuted_because": backup.refutation.why if backup.refutation else None,
        **known,
    }
