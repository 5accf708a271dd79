"""The backups of this project: when they were taken, and which were proved to restore."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tradebot_ops.backups.shelf import Shelf
from tradebot_ops.context import Ops
from tradebot_ops.facts.fact import fact


@dataclass(frozen=True)
class Shelved:
    """Whole backups with the moment of each, the moments at which a restore was proved, and damaged ones by id."""

    taken: Mapping[str, datetime]
    proved: Mapping[str, datetime]
    damaged: tuple[str, ...]
    folder: str
    now: datetime


@fact()
def shelved(ops: Ops) -> Shelved:
    """As they lie in the folder; no file of a backup but its manifest is read."""
    folder = ops.settings.backups / ops.settings.project
    found = Shelf(folder).all()
    whole = [each for each in found if each.manifest is not None]
    return Shelved(
        {each.id: each.at for each in whole},
        {each.id: each.proof.moment for each in whole if each.proof},
        tuple(each.id for each in found if each.manifest is None),
        str(folder),
        ops.clock(),
    )
