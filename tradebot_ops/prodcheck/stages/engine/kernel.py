"""The host's clock and the kernel settings that Redis depends on."""

from tradebot_ops.facts import host
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, warned, worst


@check(
    "ENG-07",
    "The clock is right",
    asks=(host.clock,),
    source="design: exchanges refuse requests whose time is off; leases and logs compare times",
    needs=("ENG-01",),
    anchor="config/prometheus/rules/host.yml",
    remedy="tradebot status; on the host: sudo timedatectl set-ntp true, or install chrony",
    at_most={"dev": Level.WARN},
)
def clock(found: host.Clock) -> Verdict:
    """An exchange refuses what is signed a second too late, and two hosts that disagree each think the other's lease is
    over. What is not synchronised is right by accident.
    """
    apart = max(abs(found.offset or 0.0), found.engine_apart)
    observed = f"{1000 * apart:.0f} ms off" if found.synchronised else "not synchronised"
    expected = "synchronised, under 100 ms off"
    if not found.synchronised:
        return failed("Nothing keeps the clock right.", observed=observed, expected=expected, evidence=found.evidence)
    if apart >= 1:
        why = "The clock is off by a second or more."
        return failed(why, observed=observed, expected=expected, evidence=found.evidence)
    if apart >= 0.1:
        return warned("The clock is off.", observed=observed, expected=expected, evidence=found.evidence)
    return passed("The clock is right.", observed=observed, evidence=found.evidence)


@check(
    "ENG-09",
    "Kernel settings for Redis",
    asks=(host.kernel,),
    severity=Severity.MINOR,
    source="Redis administration: overcommit, transparent huge pages, somaxconn",
    needs=("ENG-01",),
    anchor="compose.yaml#redis",
    remedy="tradebot logs redis --tail 50; on the host: sudo sysctl -w vm.overcommit_memory=1 net.core.somaxconn=1024",
)
def kernel(found: host.Kernel) -> Verdict:
    """Without overcommit a background save fails when memory is needed most; huge pages make Redis slow while it saves;
    a short queue of connections refuses workers that all come back at once.
    """
    return worst([_overcommit(found.overcommit), _hugepages(found.hugepages), _somaxconn(found.somaxconn)])


def _overcommit(value: str | None) -> Verdict:
    observed = f"vm.overcommit_memory={value}"
    if value is None:
        return warned("vm.overcommit_memory cannot be read where Redis runs.", observed="unreadable", expected="1")
    if value != "1":
        return warned("Redis may fail to save under memory pressure.", observed=observed, expected="1")
    return passed("Redis can always fork.", observed=observed)


def _hugepages(value: str | None) -> Verdict:
    chosen = value.partition("[")[2].partition("]")[0] if value else ""
    if chosen == "always":
        return warned(
            "Transparent huge pages slow Redis down while it saves.",
            observed=f"transparent_hugepage={value}",
            expected="madvise or never",
            hint="On the host: echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled",
        )
    return passed("Huge pages are left to those who ask.", observed=f"transparent_hugepage={chosen or 'none'}")


def _somaxconn(value: str | None) -> Verdict:
    observed = f"net.core.somaxconn={value}"
    if value is None or not value.isdigit():
        return warned("net.core.somaxconn cannot be read where Redis runs.", observed="unreadable", expected="511")
    if int(value) < 511:
        return warned("The queue of connections is shorter than Redis asks for.", observed=observed, expected="511")
    return passed("The queue of connections is long enough.", observed=observed)
