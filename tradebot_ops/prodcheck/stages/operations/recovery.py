"""The way back: backups and releases. Commands for releases come later, so none of them passes yet."""

from datetime import timedelta
from pathlib import Path
from typing import NoReturn

from tradebot_ops.backups.retention import Kept, expendable
from tradebot_ops.facts.project import backups, unbuilt
from tradebot_ops.facts.project.backups import Copies, Shelved
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, unjudged
from tradebot_ops.text.quantities import age
from tradebot_ops.text.sentences import agreed

#: One a day, and two hours for a day that was busy.
RECENT = timedelta(hours=26)
PROVED = timedelta(days=8)
#: A copy that nobody reads for longer may have rotted.
READ = timedelta(days=31)
#: More than these are no plan, but nobody's job.
MOST = 60
NOT_PROD = {"dev": Level.WARN, "staging": Level.WARN}


@check(
    "OPS-01",
    "There is a recent, complete backup",
    asks=(backups.shelved,),
    severity=Severity.CRITICAL,
    source="brief: Backups tested",
    anchor="compose.yaml#volumes",
    remedy="tradebot backup",
    at_most=NOT_PROD,
)
def recent_backup(shelf: Shelved) -> Verdict:
    """Data since the last backup is lost for good, and so is what it leaves out."""
    if not shelf.taken:
        none = f"There is no backup{' that is fit for use' if shelf.refuted else ''}."
        return failed(none, expected="one of the last day", evidence=shelf.folder)
    newest = max(shelf.taken.values())
    shown = {"observed": f"{age(shelf.now - newest)} old", "expected": "not older than a day", "evidence": shelf.folder}
    if shelf.now - newest > RECENT:
        return failed(f"The newest backup is {age(shelf.now - newest)} old.", **shown)
    return passed("There is a backup of the last day.", **shown)


@check(
    "OPS-02",
    "A restore was proved",
    asks=(backups.shelved,),
    severity=Severity.CRITICAL,
    source="brief: Backups tested",
    anchor="compose.yaml#volumes",
    remedy="tradebot backup verify",
    at_most=NOT_PROD,
)
def proved_restore(shelf: Shelved) -> Verdict:
    """A backup that nobody ever restored is a hope."""
    if not shelf.proved:
        return failed("No restore was proved.", expected="one within a week", evidence=shelf.folder)
    last = max(shelf.proved.values())
    shown = {"observed": f"{age(shelf.now - last)} ago", "expected": "within a week", "evidence": shelf.folder}
    if shelf.now - last > PROVED:
        return failed(f"The last proof of a restore is {age(shelf.now - last)} old.", **shown)
    return passed("A restore was proved within a week.", **shown)


@check(
    "OPS-03",
    "A readable copy lies elsewhere",
    asks=(backups.copies,),
    severity=Severity.MAJOR,
    source="3-2-1 rule of backups",
    anchor="compose.yaml#volumes",
    remedy="tradebot backup copy latest DEST",
    at_most=NOT_PROD,
)
def copy_elsewhere(copies: Copies) -> Verdict:
    """A copy on the same disk shares its fate, and one that cannot be read is none."""
    if not copies.found:
        return failed("No backup was copied elsewhere.", expected="a copy on another disk or host")
    here = [each for each in copies.found if not each.gone]
    apart = [each for each in here if each.copy.apart]
    if not here:
        lost = copies.found[0]
        return failed(f"The copy {lost.copy.place} is gone, or cannot be read.", evidence=f"of the backup {lost.id}")
    if not apart:
        return failed("Every copy lies on the disk of the backups.", observed=here[0].copy.place)
    newest = apart[0]
    shown = {
        "observed": f"of a backup that is {age(copies.now - newest.taken)} old",
        "expected": "of one of the last week",
        "evidence": newest.copy.place,
    }
    if copies.now - newest.taken > PROVED:
        return failed(f"The newest copy elsewhere is {age(copies.now - newest.taken)} behind.", **shown)
    return passed("A copy of a backup of the last week lies elsewhere, and was read back there.", **shown)


@check(
    "OPS-04",
    "There is a release to go back to",
    asks=(unbuilt.releases,),
    severity=Severity.MAJOR,
    source="models: Kamal rollback",
    anchor="compose.yaml",
    remedy="tradebot images list",
    at_most={"dev": Level.WARN, "staging": Level.WARN, "prod": Level.WARN},
)
def way_back(releases: object) -> NoReturn:
    """The quickest mend of a bad release is the one before, if its images are still there."""
    raise unjudged(releases)


@check(
    "OPS-11",
    "The release to go back to understands the database",
    asks=(unbuilt.releases,),
    severity=Severity.MAJOR,
    source="design: expand and contract",
    anchor="services/common/migrations",
    remedy="tradebot images list",
)
def understands_database(releases: object) -> NoReturn:
    """Going back to code that does not know the new tables turns one outage into two."""
    raise unjudged(releases)


@check(
    "OPS-13",
    "Old backups are cleared away",
    asks=(backups.shelved,),
    severity=Severity.MINOR,
    source="restic: forget and prune",
    anchor="compose.yaml#volumes",
    remedy="tradebot backup prune --dry-run",
)
def retention_ran(shelf: Shelved) -> Verdict:
    """A disk that fills with old backups takes no new one."""
    known = [Kept(name, at, name in shelf.proved) for name, at in shelf.taken.items()]
    old = expendable(known, MOST, None, shelf.now)
    shown = {"observed": f"{len(known)} backups", "expected": f"at most {MOST}", "evidence": shelf.folder}
    if shelf.damaged:
        return failed(f"{len(shelf.damaged)} backups are damaged: {', '.join(shelf.damaged[:3])}.", **shown)
    if shelf.refuted:
        names = ", ".join(shelf.refuted[:3])
        whose = "its" if len(shelf.refuted) == 1 else "their"
        return failed(agreed(f"{len(shelf.refuted)} backups failed {whose} last verification: {names}."), **shown)
    if old:
        return failed(f"{len(old)} backups lie there beyond the newest {MOST}.", **shown)
    return passed("Old backups do not pile up.", **shown)


@check(
    "OPS-14",
    "Stored backups were read back",
    asks=(backups.copies,),
    severity=Severity.MINOR,
    source="restic: check --read-data",
    needs=("OPS-03",),
    anchor="compose.yaml#volumes",
    remedy="tradebot backup copy BACKUP DEST",
    at_most={"dev": Level.WARN, "staging": Level.WARN, "prod": Level.WARN},
)
def read_back(copies: Copies) -> Verdict:
    """Bytes rot where nobody reads them: the same `backup copy` again reads every file of the copy."""
    apart = [each for each in copies.found if each.copy.apart and not each.gone]
    if not apart:
        return failed("There is no copy elsewhere to read.", hint="tradebot backup copy latest DEST")
    unread = [each for each in apart if copies.now - each.copy.moment > READ]
    shown = {
        "observed": f"{len(apart) - len(unread)} of {len(apart)} copies read back lately",
        "expected": f"each within {READ.days} days",
        "evidence": "\n".join(each.copy.place for each in unread[:5]),
    }
    if unread:
        last = age(copies.now - unread[0].copy.moment)
        hint = f"tradebot backup copy {unread[0].id} {Path(unread[0].copy.place).parent.parent}"
        return failed(f"Nobody has read the copy {unread[0].copy.place} for {last}.", **shown, hint=hint)
    return passed("Every copy elsewhere was read back lately.", **shown)
