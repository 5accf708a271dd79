"""Clear old backups away; the newest that was proved to restore always stays."""

from collections.abc import Callable
from datetime import datetime, timedelta

from tradebot_ops import units
from tradebot_ops.backups.retention import KEEP, Kept, expendable
from tradebot_ops.backups.shelf import Backup, Shelf
from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report, Section
from tradebot_ops.operations.backup import noting
from tradebot_ops.operations.change import change
from tradebot_ops.text.quantities import human_bytes
from tradebot_ops.text.sentences import agreed


def prune(
    ops: Ops, shelf: Shelf, keep: int | None, younger_than: str, confirm: Callable[[str], None], *, dry_run: bool
) -> Report:
    """Remove all but the newest ``keep`` whole backups, and those younger than that. Asks before.

    One whose last verification failed is no whole one; it is named where it stays.
    """
    least = _span(younger_than)
    going = _going(shelf, keep, least, ops.clock())
    sizes = {each.id: each.size for each in going}
    if going and not dry_run:
        confirm(agreed(f"This removes {len(going)} backups of {ops.settings.project}."))
        with change(ops, "backup prune"):
            gone = noted(ops, shelf, keep, least)
            going = [each for each in going if each.id in gone]
    freed = sum(sizes[each.id] for each in going)
    names = ", ".join(each.id for each in going)
    verb = "Would remove" if dry_run else "Removed"
    line = agreed(f"{verb} {len(going)} backups ({human_bytes(freed)}): {names}.") if going else "No backup may go."
    data = {"removed": [each.id for each in going], "bytes": freed, "dry_run": dry_run}
    leaving = {each.id for each in going}
    stay = tuple(each.damage for each in shelf.all() if each.refutation and each.id not in leaving)
    return Report(data=data, sections=(Section(lines=(line,)),), warnings=stay)


def noted(
    ops: Ops, shelf: Shelf, keep: int | None, younger_than: timedelta | None, just_made: str = ""
) -> tuple[str, ...]:
    """The same as ``clear``; whether it failed is shown to Prometheus."""
    with noting.clearing(ops):
        return clear(shelf, keep, younger_than, ops.clock(), just_made)


def clear(
    shelf: Shelf, keep: int | None, younger_than: timedelta | None, now: datetime, just_made: str = ""
) -> tuple[str, ...]:
    """Remove them, never the one ``just_made``; returns their ids."""
    going = _going(shelf, keep, younger_than, now, just_made)
    for each in going:
        shelf.remove(each)
    return tuple(each.id for each in going)


def _going(
    shelf: Shelf, keep: int | None, younger_than: timedelta | None, now: datetime, just_made: str = ""
) -> list[Backup]:
    found = shelf.all()
    known = [Kept(each.id, each.at, restorable=each.proof is not None, whole=each.usable) for each in found]
    ids = expendable(known, KEEP if keep is None else keep, younger_than, now, just_made)
    return [each for each in found if each.id in ids]


def _span(text: str) -> timedelta | None:
    if not text:
        return None
    try:
        return timedelta(seconds=units.seconds(text, units.TYPED))
    except ValueError:
        raise OpsError(f"'{text}' is no time span.", code="TB-0267", hint="Write hours, days or weeks: 30d") from None
