"""Copy a backup elsewhere, and prove that the copy is one: every file is read back there and compared."""

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from tradebot_ops.backups import copies
from tradebot_ops.backups.copies import Copy
from tradebot_ops.backups.shelf import PROVED, SUMS, Backup, Shelf, refuted_since, sha256
from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report, Section
from tradebot_ops.operations.backup.copying.folder import FolderCopy
from tradebot_ops.operations.backup.copying.ssh import SshCopy, is_remote
from tradebot_ops.operations.backup.verify import check_files
from tradebot_ops.operations.change import change
from tradebot_ops.progress import OnProgress, Phase, ProgressEvent
from tradebot_ops.text.quantities import human_bytes, quantity
from tradebot_ops.text.sentences import agreed


def copy(ops: Ops, shelf: Shelf, name: str, destination: str, on_progress: OnProgress) -> Report:
    """Copy it, read it back, and remember where it lies. One that is there already is read back again.

    Raises ``OpsError`` TB-0132 for a backup that is damaged itself, TB-0139 for a copy that is not the backup, TB-0276
    for a destination that cannot be one.
    """
    with change(ops, "backup copy", name, destination, on_progress=on_progress):
        started = time.monotonic()
        backup = shelf.get(name)
        manifest = check_files(backup)
        target = _target(ops, backup, manifest.project, destination)
        target.check()

        def at(phase: Phase, line: str) -> None:
            on_progress(ProgressEvent(backup.id, phase, line))

        at(Phase.PREPARING, f"copying {human_bytes(backup.size)} to {destination}")
        wanted = _sums(backup)
        proof = (PROVED,) if (backup.folder / PROVED).is_file() else ()
        wrote = target.put((*wanted, *proof))
        at(Phase.PREPARING, "reading it back")
        _compare(backup, target, wanted)
        made = Copy(target.place, ops.clock().isoformat(timespec="seconds"), target.apart)
        copies.remember(backup.folder, made)
        at(Phase.DONE, made.place)
    report = _report(ops, backup, made, time.monotonic() - started, files=len(wanted), wrote=wrote)
    return replace(report, warnings=(*refuted_since(shelf, backup), *report.warnings))


def _target(ops: Ops, backup: Backup, project: str, destination: str) -> FolderCopy | SshCopy:
    if is_remote(destination):
        return SshCopy(destination, project, backup, ops.settings.environ)
    return FolderCopy(Path(named(ops, destination)), project, backup)


def named(ops: Ops, destination: str) -> str:
    """The destination as it means the same from anywhere: a folder is named from the one that one stands in."""
    return destination if is_remote(destination) else str((ops.settings.cwd / Path(destination).expanduser()).resolve())


def _sums(backup: Backup) -> Mapping[str, str]:
    """Checksum by file, of all that the backup is made of: they were compared with the files just now."""
    lines = (backup.folder / SUMS).read_text(encoding="ascii").splitlines()
    known = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    return {**known, SUMS: sha256(backup.folder / SUMS)}


def _compare(backup: Backup, target: FolderCopy | SshCopy, wanted: Mapping[str, str]) -> None:
    found = target.sums(tuple(wanted))
    wrong = [name for name, digest in wanted.items() if found.get(name) != digest]
    if wrong:
        copies.forget(backup.folder, target.place)
        raise OpsError(
            f"The copy {target.place} is not the backup {backup.id}: {', '.join(wrong)}.",
            code="TB-0139",
            hint="Move it away and copy again; if it comes again, that disk is failing.",
            detail=tuple(f"{name} {'differs' if name in found else 'is missing'} there." for name in wrong),
        )


def _report(ops: Ops, backup: Backup, made: Copy, seconds: float, *, files: int, wrote: bool) -> Report:
    verb = "was copied to" if wrote else "lies already in"
    size = human_bytes(backup.size)
    lines = [
        f"Backup {backup.id} {verb} {made.place}.",
        agreed(
            f"{files} files, {size}, were read back there and are equal; {quantity(seconds, 's')}. It is not encrypted."
        ),
    ]
    if not is_remote(made.place):
        restore = f"tradebot backup restore {made.place} --from-project {ops.settings.project}"
        lines.append(f"Restore from it on a host that has this disk: {restore}")
    warnings = () if made.apart else ("It is on the same disk as the backup, and shares its fate.",)
    data = {
        "id": backup.id,
        "place": made.place,
        "apart": made.apart,
        "written": wrote,
        "files": files,
        "bytes": backup.size,
        "seconds": round(seconds, 3),
    }
    return Report(data=data, sections=(Section(lines=tuple(lines)),), warnings=warnings)
