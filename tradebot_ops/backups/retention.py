"""Which backups may go. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

#: So many are kept where nobody says.
KEEP = 7


@dataclass(frozen=True)
class Kept:
    """One backup, as far as it matters here; ``restorable`` when a restore of it was proved, ``whole`` unless it is
    damaged or its last verification failed.
    """

    id: str
    at: datetime
    restorable: bool = False
    whole: bool = True


def expendable(
    backups: Sequence[Kept], keep: int, younger_than: timedelta | None, now: datetime, just_made: str = ""
) -> tuple[str, ...]:
    """Ids that may go: all but the newest ``keep`` whole ones, those younger than that, and what must stay.

    ``backups`` come with the oldest first. The one that was ``just_made`` is the newest whatever its date: after a
    clock was set back it looks like the oldest.

    The newest one that was restored always stays: the younger ones may turn out to be worth nothing. A damaged one
    counts as none, and goes only once ``keep`` whole ones are there.
    """
    newest = sorted((each for each in reversed(backups) if each.whole), key=lambda each: each.id != just_made)
    stay = {each.id for each in newest[: max(keep, 1)]}
    stay |= {each.id for each in [each for each in newest if each.restorable][:1]}
    if younger_than is not None:
        stay |= {each.id for each in backups if each.at > now - younger_than}
    if len(newest) < keep:
        stay |= {each.id for each in backups}
    return tuple(each.id for each in backups if each.id not in stay)
