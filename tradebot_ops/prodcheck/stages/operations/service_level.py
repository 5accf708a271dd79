"""The lock of whoever changes the stack, and how long it was there for its users."""

from tradebot_ops.facts.metrics import slo
from tradebot_ops.facts.project import lease
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, warned
from tradebot_ops.text.quantities import quantity

#: No command of ours takes longer; whoever does hangs.
LONGEST_S = 1800.0
OBJECTIVE = 0.999
BUDGET_S = (1 - OBJECTIVE) * slo.WINDOW_S
#: Below a day one short restart is a large share.
ENOUGH_S = 86_400.0


@check(
    "OPS-05",
    "Nobody holds the project for too long",
    asks=(lease.lease,),
    severity=Severity.MINOR,
    source="models: Kamal's deploy lock",
    anchor="compose.yaml",
    remedy="tradebot status",
)
def unlocked(found: lease.Lease) -> Verdict:
    """While a command changes the project no other may: one that hangs keeps everybody from mending anything. The
    kernel frees the lock of a command that ended, so whoever holds it lives.
    """
    expected = f"free, or held for less than {quantity(LONGEST_S, 's')}"
    if not found.holder:
        return passed("Nobody changes the project now.", observed="free", expected=expected)
    observed = f"{found.holder}, for {quantity(found.seconds, 's')}"
    if found.seconds > LONGEST_S:
        return warned("A command holds the project for too long.", observed=observed, expected=expected,
                      hint="End that process if it hangs, then: tradebot status")  # fmt: skip
    return passed("A command changes the project now.", observed=observed, expected=expected)


@check(
    "OPS-06",
    "The API keeps its promise: 99.9 % of 30 days",
    asks=(slo.availability,),
    severity=Severity.MAJOR,
    source="brief: System Uptime 99.9 %",
    anchor="config/prometheus/rules/slo.yml",
    remedy="tradebot alerts list",
)
def kept_promise(found: slo.Availability) -> Verdict:
    """99.9 % of 30 days leave 43 minutes. Whoever has used them up changes nothing but what makes the stack steadier.
    Judged by the minutes that were lost, so that a young stack is not condemned for its first start.
    """
    days = found.seconds / 86_400
    known = f"{days:.1f} days" if days >= 1 else quantity(found.seconds, "s")
    left = BUDGET_S - found.down_s
    shown: dict[str, str] = {
        "observed": f"{100 * found.share:.3f} % over {known} on record, {quantity(max(left, 0.0), 's')} of budget left",
        "expected": f"{100 * OBJECTIVE:g} %, {quantity(BUDGET_S, 's')} of budget in 30 days",
        "evidence": f"{slo.AVAILABILITY} = {found.share:.5f}",
    }
    if left <= 0:
        return failed("The budget for outages is used up.", **shown)
    if found.share < OBJECTIVE and found.seconds >= ENOUGH_S:
        return warned("The API was away more often than it may be in the long run.", **shown)
    return passed(f"The API kept its promise, as far as {known} shows.", **shown)
