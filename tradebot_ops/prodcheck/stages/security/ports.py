"""Which doors this host shows, and whether they are shut."""

from tradebot_ops.facts.access import ports
from tradebot_ops.facts.access.ports import Door, Seen, Shown
from tradebot_ops.facts.fact import Skip
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, skipped, warned
from tradebot_ops.prodcheck.stages.security.containers import BENCHMARK
from tradebot_ops.text.lists import few

#: What people look at. Everything else is for the stack alone.
FOR_PEOPLE = frozenset({"api", "prometheus", "alertmanager", "grafana"})
#: They publish nothing, not even on loopback: who is on this host reaches them through the stack.
NEVER_PUBLISHED = frozenset({"redis", "postgres", "node-exporter", "redis-exporter", "postgres-exporter"})
_REFUSED = (401, 403)


@check(
    "SEC-02",
    "Ports are shown to this host alone",
    asks=(ports.seen,),
    severity=Severity.CRITICAL,
    source=f"{BENCHMARK}: 5.9, 5.14; moby issue 22054: published ports pass by the host's firewall",
    needs=("ENG-01",),
    anchor="compose.yaml#ports",
    remedy="tradebot up; after publishing the port on 127.0.0.1 in compose.yaml, or not at all",
)
def bound(seen: Seen) -> Verdict:
    """Docker writes its own rules in front of the host's firewall, so a port on 0.0.0.0 is open to the network
    whatever the firewall says. Each is connected to from this host's other addresses; the engine's word is not enough.
    """
    if not seen.ports:
        return skipped(Skip.PREREQUISITE, "Nothing runs that shows a port.")
    evidence = "\n".join(map(_line, seen.ports[:40]))
    evidence += f"\ntried from {', '.join(seen.own)}" if seen.own else "\nnot tried: the engine is another host's"
    wide = [each for each in seen.ports if each.beyond_loopback]
    secret = [_name(each) for each in wide if each.service not in FOR_PEOPLE]
    if secret:
        message = f"{len(secret)} ports of the stack itself are open to the network."
        return failed(message, observed=few(secret), expected="127.0.0.1 or none", evidence=evidence)
    if wide:
        message = f"{len(wide)} ports are open to the network."
        return warned(message, observed=few(map(_name, wide)), expected="127.0.0.1", evidence=evidence)
    idle = [_name(each) for each in seen.ports if each.published and each.service in NEVER_PUBLISHED]
    if idle:
        message = f"{len(idle)} ports are published that nobody outside the stack needs."
        return warned(message, observed=few(idle), expected="not published", evidence=evidence)
    return passed("Ports are shown to this host alone.", observed=f"{len(seen.ports)} ports", evidence=evidence)


def _name(each: Shown) -> str:
    through = f" (reached through {few(each.reached, 1)})" if each.reached else ""
    return f"{each.replica} on {each.address}:{each.port}{through}"


def _line(each: Shown) -> str:
    how = "published" if each.published else "listens"
    return f"{each.replica} {each.target} {how} {each.address}:{each.port}, reached: {', '.join(each.reached) or 'no'}"


@check(
    "SEC-03",
    "Monitoring asks who is there",
    asks=(ports.doors,),
    severity=Severity.CRITICAL,
    source="Prometheus: security model; OWASP A01:2021",
    needs=("ENG-01",),
    anchor="compose.yaml#prometheus_web",
    remedy="tradebot monitoring status; then tradebot restart prometheus, which reads its logins again",
)
def locked(doors: tuple[Door, ...]) -> Verdict:
    """Prometheus shows its configuration and every metric, Alertmanager lets anybody silence an alert, unless they ask
    for a login. Tried without one.
    """
    open_ = [door for door in doors if door.status not in _REFUSED]
    observed = ", ".join(f"{door.service}: HTTP {door.status}" for door in doors)
    evidence = "\n".join(f"GET {door.url} without credentials: HTTP {door.status}" for door in doors)
    wide = [door.service for door in open_ if door.beyond_loopback]
    if wide:
        message = f"{few(wide)} answers the network without a login."
        return failed(message, observed=observed, expected="401", evidence=evidence)
    if open_:
        message = f"{few(door.service for door in open_)} answers everybody on this host without a login."
        return warned(message, observed=observed, expected="401", evidence=evidence)
    return passed("Monitoring asks who is there.", observed=observed, evidence=evidence)
