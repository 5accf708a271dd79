"""Who gets in with what everybody knows, or is let in without being known."""

from tradebot_ops.facts.access import logins
from tradebot_ops.facts.access.logins import Attempt, Strength
from tradebot_ops.facts.metrics import grafana
from tradebot_ops.facts.metrics.grafana import Entry
from tradebot_ops.facts.project import stack
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, warned
from tradebot_ops.text.lists import few

LENGTH, BITS = 16, 60.0
_REFUSED = (401, 403)
_OFF = "false"


@check(
    "SEC-01",
    "No default login works, and no password is weak",
    asks=(logins.defaults, logins.strengths, stack.environment),
    severity=Severity.CRITICAL,
    source="brief: strong passwords; OWASP A07:2021",
    needs=("ENG-01",),
    anchor="compose.yaml#secrets",
    remedy="tradebot up; after removing the weak secret's file: a strong one is made; in a database that has the old "
    "one, change the password of its owner first",
)
def guarded(attempts: tuple[Attempt, ...], strengths: tuple[Strength, ...], environment: str) -> Verdict:
    """The first that anybody tries is tried: Redis without a password, Postgres and Grafana with those of their
    handbooks. Configured passwords are measured, never shown.
    """
    evidence = "\n".join(
        [f"{each.login}: {each.answer[:120]}" for each in attempts]
        + [f"{each.name}: {each.length} letters, {each.bits:.0f} bits" for each in strengths]
    )
    open_ = [each.login for each in attempts if each.open]
    if open_:
        message = f"{len(open_)} default logins work."
        return failed(message, observed=few(open_), expected="refused", evidence=evidence)
    weak = [f"{each.name}: {each.length} letters, {each.bits:.0f} bits" for each in strengths if _weak(each)]
    if weak:
        judge = failed if environment == "prod" else warned
        expected = f"{LENGTH} letters and {BITS:.0f} bits"
        return judge(f"{len(weak)} passwords are weak.", observed=few(weak), expected=expected, evidence=evidence)
    observed = f"{len(attempts)} default logins refused, {len(strengths)} secrets measured"
    return passed("No default login works, and no password is weak.", observed=observed, evidence=evidence)


def _weak(each: Strength) -> bool:
    return each.length < LENGTH or each.bits < BITS


@check(
    "SEC-04",
    "Grafana lets nobody in unknown, and newcomers only look",
    asks=(grafana.entry, grafana.newcomer_edits),
    severity=Severity.MAJOR,
    source="Grafana: configure security; OWASP A01:2021",
    needs=("ENG-01",),
    anchor="compose.yaml#GF_AUTH_ANONYMOUS_ENABLED",
    remedy="tradebot up; after setting GF_AUTH_ANONYMOUS_ENABLED and GF_USERS_ALLOW_SIGN_UP to false in compose.yaml, "
    "and GF_USERS_AUTO_ASSIGN_ORG_ROLE to Viewer",
)
def known(entry: Entry, newcomer_edits: bool) -> Verdict:
    """Dashboards show the state of the trading. A stranger asks, the settings in force are read, and a user made for
    this check tries to make a dashboard: who can change panels can hide an outage.
    """
    wrong = []
    if entry.anonymous not in _REFUSED or entry.anonymous_set != _OFF:
        wrong.append("strangers are let in")
    if entry.sign_up != _OFF:
        wrong.append("anybody may sign up")
    if newcomer_edits:
        wrong.append("a new user may edit dashboards")
    evidence = (
        f"GET /api/org without a login: HTTP {entry.anonymous}; auth.anonymous enabled={entry.anonymous_set},"
        f" users allow_sign_up={entry.sign_up}; POST /api/dashboards/db as a new user: "
        f"{'accepted' if newcomer_edits else 'refused'}"
    )
    if wrong:
        message = "Grafana is open to people who should not be in."
        return failed(message, observed=few(wrong), expected="off, off, refused", evidence=evidence)
    observed = "anonymous off, sign-up off, a new user only looks"
    return passed("Grafana lets nobody in unknown, and newcomers only look.", observed=observed, evidence=evidence)
