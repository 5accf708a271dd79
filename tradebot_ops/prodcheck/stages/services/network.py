"""Connections, tried from where they matter: inside the API and the workers, and from Prometheus."""

from tradebot_ops.facts.access import connections
from tradebot_ops.facts.access.connections import Connection
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed
from tradebot_ops.prodcheck.stages.services.wording import few


@check(
    "SVC-06",
    "Services reach one another",
    asks=(connections.inside,),
    severity=Severity.CRITICAL,
    source="design: from this host everything may be reachable that a container does not see",
    needs=("ENG-01",),
    anchor="compose.yaml#networks",
    remedy="tradebot status; then tradebot restart SERVICE, which joins it to its networks again",
)
def inside(found: tuple[Connection, ...]) -> Verdict:
    """Names are resolved and ports connected to inside the API and a worker; a network that lost a member, or a name
    that leads elsewhere, is seen nowhere else.
    """
    return _judged(found, "Services reach one another.", "between services")


@check(
    "SVC-10",
    "Names outside are reached",
    asks=(connections.outside,),
    source="design: alerts and orders leave this host by names that others answer for",
    needs=("ENG-01",),
    anchor=".env#ALERT_EMAIL_SMARTHOST",
    remedy="tradebot alerts test; then check DNS, the firewall and the certificates of this host",
)
def outside(found: tuple[Connection, ...]) -> Verdict:
    """Every configured name is resolved, connected to and, where it is https, its certificate verified: a firewall or a
    certificate authority that is missing in the image shows now, not with the first alert.
    """
    return _judged(found, "Every name outside is reached.", "to the outside")


def _judged(found: tuple[Connection, ...], good: str, what: str) -> Verdict:
    broken = [f"{each.source} -> {each.target}" for each in found if each.why]
    evidence = "\n".join(f"{each.source} -> {each.target}: {each.why or 'connected'}" for each in found[:20])
    if broken:
        return failed(
            f"{len(broken)} connections {what} fail.", observed=few(broken), expected="connected", evidence=evidence
        )
    return passed(good, observed=few([f"{each.source} -> {each.target}" for each in found], 3), evidence=evidence)
