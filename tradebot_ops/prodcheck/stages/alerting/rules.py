"""The alert rules: all there, complete, and proved to fire and to stay silent."""

from collections.abc import Iterator, Mapping
from typing import Any

from tradebot_ops.clients.prometheus import Rule
from tradebot_ops.facts.alerting import rule_tests, runbooks
from tradebot_ops.facts.alerting.rule_tests import Proof
from tradebot_ops.facts.metrics import config_files, monitoring, prometheus
from tradebot_ops.facts.metrics.monitoring import Answer
from tradebot_ops.monitoring.rules import alerts_of
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, warned
from tradebot_ops.text.lists import few

#: The alerts that the brief names.
BRIEF = (
    "ServiceDown", "PostgresDown", "RedisDown", "NoWorkersAvailable",
    "HighErrorRate", "WorkerQueueBacklog", "HighJobFailureRate", "DeadLetterQueueGrowing", "HighDatabaseConnections",
    "SlowQueries", "RedisMemoryHigh", "HighCPUUsage", "HighMemoryUsage", "DiskSpaceLow",
    "HighAPILatency", "BacktestTakingTooLong", "HighBacktestFailureRate",
    "HighAPIRequestRate",
)  # fmt: skip
SEVERITIES = frozenset({"critical", "warning", "performance", "info"})
LEAST = 20
_FOLDER = "config/prometheus/rules"


@check(
    "ALR-01",
    "The brief's alerts are loaded",
    asks=(prometheus.rules, monitoring.prometheus),
    severity=Severity.CRITICAL,
    source="brief: Alert Rules, 20+ in four categories",
    anchor=f"{_FOLDER}/availability.yml",
    remedy="tradebot monitoring rules",
)
def loaded(rules: tuple[Rule, ...], _answers: Answer) -> Verdict:
    """Asks Prometheus which rules it evaluates: at least twenty alerts, the eighteen that the brief names among
    them, in its four severities, each without an error.
    """
    alerts = [rule for rule in rules if rule.kind == "alerting"]
    missing = [name for name in BRIEF if name not in {rule.name for rule in alerts}]
    lacking = sorted(SEVERITIES - {rule.labels.get("severity", "") for rule in alerts})
    sick = [rule for rule in rules if rule.health == "err"]
    observed = f"{len(alerts)} alerts, {len(BRIEF) - len(missing)} of the brief's {len(BRIEF)}, {len(sick)} with errors"
    expected = f"at least {LEAST}, all of the brief, {len(SEVERITIES)} severities, no error"
    evidence = "GET /api/v1/rules"
    if sick:
        message = f"Prometheus cannot evaluate {few(rule.name for rule in sick)}."
        return failed(message, observed=observed, expected=expected, evidence=f"{evidence}: {sick[0].last_error}",
                      anchor=f"{_FOLDER}#{sick[0].name}")  # fmt: skip
    if missing:
        message = f"Alerts of the brief are not loaded: {few(missing)}."
        return failed(
            message, observed=observed, expected=expected, evidence=evidence, hint="tradebot monitoring reload"
        )
    if lacking:
        message = f"No alert has the severity {few(lacking)}."
        return failed(message, observed=observed, expected=expected, evidence=evidence)
    if len(alerts) < LEAST:
        message = f"Only {len(alerts)} alerts are loaded."
        return failed(message, observed=observed, expected=expected, evidence=evidence)
    return passed("Every alert of the brief is loaded.", observed=observed, evidence=evidence)


@check(
    "ALR-02",
    "Every alert says what to do",
    asks=(config_files.written_rules, runbooks.pages),
    source="brief: runbooks for common issues; Google SRE workbook, alerting",
    anchor=_FOLDER,
    remedy="tradebot alerts lint",
)
def complete(documents: tuple[Mapping[str, Any], ...], pages: Mapping[str, tuple[str, ...]]) -> Verdict:
    """Whoever is woken needs the alert's severity, what it means and a runbook that exists. An alert without `for`
    must look back over a range itself, or a single bad sample calls people.
    """
    alerts = alerts_of(documents)
    lacking = [f"{rule['alert']}: {what}" for rule in alerts for what in _lacking(rule, pages)]
    if lacking:
        named = dict.fromkeys(each.partition(":")[0] for each in lacking)
        return warned(
            f"Alerts are not complete: {few(named)}.",
            observed=few(lacking),
            expected="for, severity, summary, description, runbook",
            evidence="\n".join(lacking[:10]),
            anchor=f"{_FOLDER}#{next(iter(named))}",
        )
    return passed("Every alert says what to do.", observed=f"{len(alerts)} alerts, each with a runbook")


def _lacking(rule: Mapping[str, Any], pages: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    labels, notes = rule.get("labels") or {}, rule.get("annotations") or {}
    severity = labels.get("severity", "")
    if not rule.get("for") and severity != "none" and "[" not in str(rule.get("expr")):
        yield "no for"
    if severity not in SEVERITIES | {"none"}:
        yield f"severity {severity or 'missing'}"
    yield from (f"no {name}" for name in ("summary", "description") if not str(notes.get(name, "")).strip())
    url = str(notes.get("runbook_url", ""))
    page, _, heading = url.rpartition("/")[2].partition("#")
    headings = pages.get(page.removesuffix(".md"))
    if headings is None:
        yield f"runbook {url or 'missing'}"
    elif heading and heading not in {_slug(each) for each in headings}:
        yield f"its runbook has no heading {heading}"


def _slug(heading: str) -> str:
    return "".join(c for c in heading.lower().replace(" ", "-") if c.isalnum() or c == "-")


@check(
    "ALR-03",
    "Every alert is proved by tests",
    asks=(rule_tests.tested,),
    severity=Severity.CRITICAL,
    source="Prometheus documentation: unit testing for rules",
    anchor="config/prometheus/tests",
    remedy="tradebot alerts test-rules",
)
def proved(tested: Proof) -> Verdict:
    """Runs the unit tests of the rules with promtool, and looks whether each alert has one in which it fires and one
    in which it does not. A threshold nobody tried is a guess.
    """
    if not tested.ok:
        lines = [line for line in tested.output.splitlines() if "FAILED" in line or "got:" in line]
        return failed("A rule does not do what its test says.", observed=few(line.strip() for line in lines[:2]),
                      expected="every test passes", evidence=tested.output[-2000:])  # fmt: skip
    if tested.untested:
        message = f"Alerts without both tests: {few(tested.untested)}."
        return failed(message, observed=f"{len(tested.untested)} untested", expected="fires, and does not, for each",
                      evidence=tested.evidence)  # fmt: skip
    return passed("Every alert is proved to fire and to stay silent.", observed=f"{tested.files} files of tests pass",
                  evidence=tested.evidence)  # fmt: skip
