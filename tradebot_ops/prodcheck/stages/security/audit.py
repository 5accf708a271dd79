"""Who did what, in a record that nobody can rewrite. It comes later, so nothing here passes yet."""

from typing import NoReturn

from tradebot_ops.facts.project import unbuilt
from tradebot_ops.prodcheck.check import Severity, check, unjudged


@check(
    "SEC-10",
    "The audit log is whole",
    asks=(unbuilt.audit_log,),
    severity=Severity.MAJOR,
    source="design: who changed what must be known afterwards",
    anchor="tradebot.toml",
    remedy="tradebot status",
)
def audited(log: object) -> NoReturn:
    """After an accident one must know who changed what, from a log that can only grow; this run is in it, too."""
    raise unjudged(log)
