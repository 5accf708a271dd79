"""People: trained, with a page for every alert, and documentation that a person followed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tradebot_ops.facts.metrics import config_files
from tradebot_ops.facts.project import attestations, typed_commands
from tradebot_ops.facts.project.attestations import VALID_DAYS
from tradebot_ops.facts.project.typed_commands import StaleCommand
from tradebot_ops.model import Level
from tradebot_ops.monitoring.rules import alerts_of
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, warned, worst
from tradebot_ops.records import Attestation
from tradebot_ops.text import quantities

#: A page with less than this says nothing.
LEAST_LETTERS = 200
NOT_PROD = {"dev": Level.WARN, "staging": Level.WARN}


@check(
    "OPS-07",
    "The team is trained",
    asks=(attestations.made, attestations.now),
    severity=Severity.MAJOR,
    source="brief: team trained on dashboards",
    anchor="tradebot.toml",
    remedy="tradebot attest team-trained --by maria",
    at_most=NOT_PROD,
)
def trained(made: Mapping[str, Attestation], now: datetime) -> Verdict:
    """An alert at night is worth what whoever is woken can do with it. No probe sees that: a person vouches for it,
    and again after half a year.
    """
    return _attested("team-trained", made, now)


@check(
    "OPS-08",
    "Every critical alert has a runbook whose commands exist",
    asks=(config_files.written_rules, typed_commands.texts, typed_commands.stale_commands),
    severity=Severity.MAJOR,
    source="brief: runbooks",
    anchor="docs/runbooks",
    remedy="tradebot runbook list",
)
def runbooks_complete(
    rules: tuple[Mapping[str, Any], ...], texts: Mapping[str, str], stale: tuple[StaleCommand, ...]
) -> Verdict:
    """At night nobody invents a procedure: the page must be there, say something, and name commands that this version
    has.
    """
    alerts = _critical(rules)
    lacking = [name for name in alerts if len(texts.get(name, "").strip()) < LEAST_LETTERS]
    shown: dict[str, str] = {
        "observed": f"{len(alerts)} critical alerts, {len(alerts) - len(lacking)} with a page, "
        f"{len(stale)} commands that do not exist",
        "expected": "a page for each, and only commands that exist",
        "evidence": _stale_lines(stale) or f"rule files; {len(texts)} pages",
    }
    if not alerts:
        return failed("No alert is critical: nothing wakes anybody.", **shown, hint="tradebot alerts lint")
    if lacking:
        names = _few(lacking)
        return failed(f"No runbook, or an empty one: {names}.", **shown, anchor=f"docs/runbooks/{lacking[0]}.md")
    if stale:
        pages = _few(sorted({each.page for each in stale}))
        return warned(
            f"Runbooks name commands that this version does not have: {pages}.",
            **shown,
            anchor=f"docs/runbooks/{stale[0].page}.md",
        )
    return passed("Every critical alert has a runbook.", **shown)


@check(
    "OPS-09",
    "The documentation is right",
    asks=(attestations.made, attestations.now, typed_commands.stale_in_pages),
    severity=Severity.MINOR,
    source="brief: documentation approved",
    anchor="docs/INSTALLATION.md",
    remedy="tradebot attest docs-reviewed --by maria",
    at_most={"dev": Level.WARN, "staging": Level.WARN, "prod": Level.WARN},
)
def documented(made: Mapping[str, Attestation], now: datetime, stale: tuple[StaleCommand, ...]) -> Verdict:
    """Documentation is wrong until a person followed it. Commands that do not exist any more are found here; the rest
    a person vouches for.
    """
    attested = _attested("docs-reviewed", made, now)
    if not stale:
        return attested
    message = f"{_few(sorted({each.page for each in stale}))}: commands that this version does not have."
    return worst([attested, failed(message, observed=f"{len(stale)} commands", evidence=_stale_lines(stale))])


def _critical(documents: tuple[Mapping[str, Any], ...]) -> list[str]:
    """Names of the alerts of that severity in these rule files."""
    return sorted({rule["alert"] for rule in alerts_of(documents) if rule["labels"].get("severity") == "critical"})


def _attested(name: str, made: Mapping[str, Attestation], now: datetime) -> Verdict:
    found = made.get(name)
    says = attestations.KNOWN[name]
    expected = f"attested within {VALID_DAYS} days: {says}"
    hint = f"tradebot attest {name} --by maria"
    if found is None:
        return failed(f"Nobody attests that {says}.", observed="nobody", expected=expected, hint=hint)
    age = attestations.age(found, now)
    observed = f"{found.by}, {quantities.age(age)} ago"
    evidence = f"attested at {found.at}: {found.note or 'no note'}"
    if age.days > VALID_DAYS:
        message = f"The word of {found.by} is older than {VALID_DAYS} days: {says}."
        return failed(message, observed=observed, expected=expected, evidence=evidence, hint=hint)
    return passed(f"{found.by} attests that {says}.", observed=observed, expected=expected, evidence=evidence)


def _stale_lines(stale: tuple[StaleCommand, ...]) -> str:
    more = [f"and {len(stale) - 5} more"] if len(stale) > 5 else []
    return "\n".join([*(f"{each.page}: {each.call}: {each.why}" for each in stale[:5]), *more])


def _few(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
