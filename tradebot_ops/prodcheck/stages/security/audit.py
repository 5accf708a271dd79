"""Who did what, in a record that nobody can rewrite unseen."""

from tradebot_ops.audit.verify import Verdict as Judged
from tradebot_ops.facts.project import audit_log
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed

NOT_PROD = {"dev": Level.WARN, "staging": Level.WARN}


@check(
    "SEC-10",
    "The audit log is whole",
    asks=(audit_log.judged,),
    severity=Severity.MAJOR,
    source="design: who changed what must be known afterwards",
    anchor="tradebot.toml",
    remedy="tradebot audit --verify",
    at_most=NOT_PROD,
)
def audited(log: Judged) -> Verdict:
    """After an accident one must know who changed what. Each line of the log holds the hash of the line before, each
    backup the end of the log: what was edited, cut out, put in or cut off is found; what nobody can prove is named.
    """
    shown = {"observed": f"{log.head.entries} entries, proved up to {log.proved}", "evidence": "; ".join(log.unproven)}
    if log.wrong:
        return failed(log.wrong[0], **{**shown, "evidence": "; ".join((*log.wrong, *log.unproven))})
    if not log.head.entries:
        return failed("No change is on record.", **shown)
    return passed("The audit log is whole.", **shown)
