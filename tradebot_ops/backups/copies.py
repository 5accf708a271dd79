"""Records of the copies of a backup, kept beside it: where each lies, and when all of it was read back."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from tradebot_ops.errors import OpsError
from tradebot_ops.private_folder import PrivateFolder
from tradebot_ops.shapes import ShapeError, fields, flag, listed, text

COPIES = "copies.json"


@dataclass(frozen=True)
class Copy:
    """One copy, in the folder or at the ``host:folder`` of ``place``. ``at`` (ISO 8601) is when its checksums were
    compared last; ``apart``: on another disk or host than the backup.
    """

    place: str
    at: str
    apart: bool

    @classmethod
    def of(cls, value: Any) -> Self:
        made = cls(**fields(value, {"place": text, "at": text, "apart": flag}))
        try:
            zone = made.moment.tzinfo
        except ValueError as error:
            raise ShapeError(str(error)) from None
        if zone is None:
            raise ShapeError("at has no zone")
        return made

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.at)


def copies_of(folder: Path) -> tuple[Copy, ...]:
    """The known copies of the backup in a folder; none where the record cannot be read: then none is proved."""
    try:
        return PrivateFolder(folder).read_as(COPIES, _copies)
    except OpsError:
        return ()


def remember(folder: Path, copy: Copy) -> None:
    """One record a place, the newest."""
    _write(folder, [*(each for each in copies_of(folder) if each.place != copy.place), copy])


def forget(folder: Path, place: str) -> None:
    known = copies_of(folder)
    if any(each.place == place for each in known):
        _write(folder, [each for each in known if each.place != place])


def _write(folder: Path, known: Sequence[Copy]) -> None:
    PrivateFolder(folder).write_json(COPIES, {"copies": [asdict(each) for each in known]})


def _copies(content: dict[str, Any]) -> tuple[Copy, ...]:
    try:
        return listed(Copy.of)(content.get("copies", []))
    except TypeError as error:  # a key is missing
        raise ShapeError(str(error)) from None
