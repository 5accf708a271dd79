"""Who reaches the data stores without this host, and whether what is on the way can be read."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from tradebot_ops.engines.inspection import Inspected
from tradebot_ops.facts import moment
from tradebot_ops.facts.access import certificates, isolation
from tradebot_ops.facts.access.certificates import Secured
from tradebot_ops.facts.fact import Skip
from tradebot_ops.facts.project import stack
from tradebot_ops.facts.replicas import containers
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, skipped, warned, worst
from tradebot_ops.prodcheck.stages.security.containers import BENCHMARK
from tradebot_ops.text.lists import few

WARN, FAIL = timedelta(days=30), timedelta(days=7)
_SHARED = frozenset({"bridge", "default", "host"})


@check(
    "SEC-07",
    "Strangers on the engine do not reach the stores",
    asks=(containers.containers, isolation.stores),
    severity=Severity.CRITICAL,
    source=f"{BENCHMARK}: 5.30",
    needs=("ENG-01",),
    anchor="compose.yaml#networks",
    remedy="tradebot up; after taking network_mode out of compose.yaml; look at the firewall of this host "
    "first if nothing is wrong there",
)
def isolated(found: tuple[Inspected, ...], outside: Mapping[str, str]) -> Verdict:
    """On the engine's default network every container of every project reaches every other one. A scratch container
    there tries to connect to Redis and Postgres, because a firewall rule that was flushed shows nowhere else.
    """
    if not found:
        return skipped(Skip.PREREQUISITE, "No replica runs.")
    shared = [f"{each.label} on {each.network_mode or 'bridge'}" for each in found if _shared(each)]
    reached = [name for name, why in outside.items() if not why]
    evidence = "\n".join(f"{each.label}: {', '.join(each.networks) or each.network_mode}" for each in found)
    evidence += "".join(f"\nscratch container -> {name}: {why or 'connected'}" for name, why in outside.items())
    shown = {"expected": "a network of its own, no connection", "evidence": evidence}
    verdicts = []
    if reached:
        message = "A container that is not of this stack reaches its stores."
        verdicts.append(failed(message, observed=few(reached), **shown))
    if shared:
        message = f"{len(shared)} containers share a network with strangers."
        verdicts.append(failed(message, observed=few(shared), **shown))
    if verdicts:
        return worst(verdicts)
    observed = f"{len(found)} containers on networks of their own; {few(outside)} not reached from outside"
    return passed("Strangers on the engine do not reach the stores.", observed=observed, evidence=evidence)


def _shared(each: Inspected) -> bool:
    return each.network_mode in _SHARED or "bridge" in each.networks


@check(
    "SEC-08",
    "What leaves this host is encrypted, and the certificates are good",
    asks=(certificates.secured, moment.now, stack.environment),
    severity=Severity.MAJOR,
    source="OWASP A02:2021",
    needs=("ENG-01",),
    anchor="compose.yaml#ports",
    remedy="tradebot urls; then publish on 127.0.0.1 behind a proxy with TLS, or renew the certificate",
)
def encrypted(found: tuple[Secured, ...], now: datetime, environment: str) -> Verdict:
    """Every published port is asked for TLS. Without it, on the network, anybody reads the passwords; a certificate
    that ends at night stops everything at once.
    """
    if not found:
        return skipped(Skip.PREREQUISITE, "Nothing runs that publishes a port.")
    judged = [verdict for each in found if (verdict := _judged(each, now, environment))]
    if not judged:
        return skipped(Skip.PROFILE, "TLS is off, and every published port is on loopback.")
    return worst(judged)


def _judged(each: Secured, now: datetime, environment: str) -> Verdict | None:
    name = f"{each.shown.replica}:{each.shown.target}"
    certificate = each.certificate
    if certificate is None:
        if not each.shown.beyond_loopback:
            return None
        judge = failed if environment == "prod" else warned
        return judge(f"{name} is open to the network without TLS.", observed=f"{name} plain", expected="TLS")
    evidence = f"TLS handshake with {each.shown.address}:{each.shown.port}: {certificate.fault or certificate.expires}"
    if certificate.fault or certificate.expires is None:
        message = f"The certificate of {name} is not trusted: {certificate.fault}."
        return failed(message, observed=certificate.fault, expected="a trusted chain", evidence=evidence)
    left = certificate.expires - now
    shown = {"observed": f"{name}: {left.days} days left", "expected": f"{WARN.days} days", "evidence": evidence}
    if left < FAIL:
        return failed(f"The certificate of {name} is about to end.", **shown)
    if 200 <= each.plain < 300:
        return failed(f"{name} answers without TLS as well.", **shown)
    if left < WARN:
        return warned(f"The certificate of {name} ends soon.", **shown)
    return passed(f"{name} is encrypted.", **shown)
