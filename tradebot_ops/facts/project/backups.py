"""The backups of this project: when they were taken, which were proved to restore, and where copies of them lie."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tradebot_ops.backups.copies import Copy, copies_of
from tradebot_ops.backups.shelf import Shelf, read
from tradebot_ops.context import Ops
from tradebot_ops.facts.fact import fact


@dataclass(frozen=True)
class Shelved:
    """Usable backups with the moment of each, the moments at which a restore was proved, and by their ids those that
    are damaged and those whose last verification failed.
    """

    taken: Mapping[str, datetime]
    proved: Mapping[str, datetime]
    damaged: tuple[str, ...]
    folder: str
    now: datetime
    refuted: tuple[str, ...] = ()


@fact()
def shelved(ops: Ops) -> Shelved:
    """As they lie in the folder; no file of a backup but its manifest is read."""
    folder = ops.settings.backups / ops.settings.project
    found = Shelf(folder).all()
    usable = [each for each in found if each.usable]
    return Shelved(
        {each.id: each.at for each in usable},
        {each.id: each.proof.moment for each in usable if each.proof},
        tuple(each.id for each in found if each.manifest is None),
        str(folder),
        ops.clock(),
        tuple(each.id for each in found if each.refutation),
    )


@dataclass(frozen=True)
class Copied:
    """A copy of a backup that was ``taken`` then. ``gone``: its place can be seen from here, and it is not in it."""

    id: str
    taken: datetime
    copy: Copy
    gone: bool = False


@dataclass(frozen=True)
class Copies:
    """Every known copy, those of the newest backup first."""

    found: tuple[Copied, ...]
    now: datetime


@fact()
def copies(ops: Ops) -> Copies:
    """As recorded beside the backups that are usable; a disk that is not mounted and another host are believed."""
    usable = [each for each in Shelf(ops.settings.backups / ops.settings.project).all() if each.usable]
    found = (Copied(each.id, each.at, copy, _gone(copy)) for each in usable[::-1] for copy in copies_of(each.folder))
    return Copies(tuple(found), ops.clock())


def _gone(copy: Copy) -> bool:
    folder = Path(copy.place)
    return folder.is_absolute() and folder.parent.is_dir() and read(folder).manifest is None
