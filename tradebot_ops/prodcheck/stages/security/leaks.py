"""Whether secrets stay where they belong."""

from tradebot_ops.facts.access import leaks
from tradebot_ops.facts.access.leaks import Leak, Searched
from tradebot_ops.facts.fact import Skip
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, skipped, unseen
from tradebot_ops.text.lists import few


@check(
    "SEC-09",
    "Secrets do not leak",
    asks=(leaks.searched,),
    severity=Severity.CRITICAL,
    source="OWASP A09:2021; CWE-532",
    needs=("ENG-01",),
    anchor="compose.yaml#secrets",
    remedy="tradebot up; after removing the file of the secret that leaked, a new one is made; then find who wrote it: "
    "tradebot logs SERVICE --tail 1000",
)
def kept(found: Searched) -> Verdict:
    """Logs are copied to places that nobody guards, metrics and health pages are open to whoever reaches them, and
    every user of a host sees command lines. The configured values themselves are searched for, also as URLs, JSON and
    basic authentication write them; what is shown is a name and a place.
    """
    if not any(place.endswith(" log") for place in found.places):
        return skipped(Skip.PREREQUISITE, "Nothing runs, so nothing was logged.")
    evidence = "\n".join(f"{place}: {count} lines" for place, count in found.places.items())
    if found.too_short:
        evidence += f"\ntoo short to be searched for: {', '.join(found.too_short)}"
    if found.leaks:
        message = f"{len({leak.secret for leak in found.leaks})} secrets are written where they can be read."
        return failed(message, observed=few(map(_where, found.leaks)), expected="nowhere", evidence=evidence)
    if found.unread:
        return unseen(
            f"Pages gave no answer, so they were not searched: {few(found.unread)}.",
            observed=f"{len(found.unread)} pages not read",
            expected="every page read",
            evidence=evidence,
            hint="tradebot status",
        )
    observed = f"{len(found.secrets)} secrets searched for in {len(found.places)} places"
    return passed("Secrets do not leak.", observed=observed, evidence=evidence)


def _where(leak: Leak) -> str:
    return f"{leak.secret} in {leak.place} ({leak.how}, {leak.count} times)"
