"""The way back: backups and releases. Their commands come later, so nothing here passes yet."""

from typing import NoReturn

from tradebot_ops.facts.project import unbuilt
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.check import Severity, check, unjudged


@check(
    "OPS-01",
    "There is a recent, complete backup",
    asks=(unbuilt.backups,),
    severity=Severity.CRITICAL,
    source="brief: Backups tested",
    anchor="compose.yaml#volumes",
    remedy="tradebot status",
)
def recent_backup(backups: object) -> NoReturn:
    """Data since the last backup is lost for good, and so is what it leaves out."""
    raise unjudged(backups)


@check(
    "OPS-02",
    "A restore was proved",
    asks=(unbuilt.backups,),
    severity=Severity.CRITICAL,
    source="brief: Backups tested",
    anchor="compose.yaml#volumes",
    remedy="tradebot status",
)
def proved_restore(backups: object) -> NoReturn:
    """A backup that nobody ever restored is a hope."""
    raise unjudged(backups)


@check(
    "OPS-03",
    "A readable copy lies elsewhere",
    asks=(unbuilt.backups,),
    severity=Severity.MAJOR,
    source="3-2-1 rule of backups",
    anchor="compose.yaml#volumes",
    remedy="tradebot status",
)
def copy_elsewhere(backups: object) -> NoReturn:
    """A copy on the same host shares its fate, and one that cannot be read is none."""
    raise unjudged(backups)


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
    asks=(unbuilt.backups,),
    severity=Severity.MINOR,
    source="restic: forget and prune",
    anchor="compose.yaml#volumes",
    remedy="tradebot status",
)
def retention_ran(backups: object) -> NoReturn:
    """A disk that fills with old backups takes no new one."""
    raise unjudged(backups)


@check(
    "OPS-14",
    "Stored backups were read back",
    asks=(unbuilt.backups,),
    severity=Severity.MINOR,
    source="restic: check --read-data",
    anchor="compose.yaml#volumes",
    remedy="tradebot status",
    at_most={"dev": Level.WARN, "staging": Level.WARN, "prod": Level.WARN},
)
def read_back(backups: object) -> NoReturn:
    """Bytes rot where nobody reads them."""
    raise unjudged(backups)
