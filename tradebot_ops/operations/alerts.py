"""Alerts: what is wrong now, what was, silences, and whether the rules themselves are right."""

import getpass
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Any

from tradebot_ops.clients.alertmanager import HeldAlert, Matcher, Silence
from tradebot_ops.clients.prometheus import PendingOrFiring, Rule
from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Finding, Level, Report, Section, Table
from tradebot_ops.operations import metrics, promtool, runbooks
from tradebot_ops.operations.query import seconds

#: They fire by design: the dead man's switch, and the one that only inhibits others.
BACKGROUND = frozenset({"Watchdog", "RecentOutage"})
_ORDER = {"critical": 0, "warning": 1, "performance": 2, "info": 3}
_MATCHER = re.compile(r"([a-zA-Z_]\w*)(=~|!~|!=|=)(.*)", re.DOTALL)


def list_(ops: Ops, *, every: bool) -> Report:
    """What fires or is about to, with silences; ``every`` adds what fires by design."""
    held = ops.alertmanager.alerts()
    pending = [alert for alert in ops.prometheus.alerts() if alert.state == "pending"]
    found = [_row(alert) for alert in held] + [_pending(alert) for alert in pending]
    found = [row for row in found if every or row["name"] not in BACKGROUND]
    found.sort(key=lambda row: (_ORDER.get(row["severity"], 9), row["name"]))
    silences = [silence for silence in ops.alertmanager.silences() if silence.state != "expired"]
    rows = tuple((row["name"], row["severity"], row["state"], _ago(row["since"]), row["summary"]) for row in found)
    sections = [
        Section(tables=(Table(("alert", "severity", "state", "for", "summary"), rows),))
        if rows
        else Section(lines=("Nothing fires.",))
    ]
    if silences:
        sections.append(Section("Silences", tables=(_silences(silences),)))
    data = {"alerts": found, "silences": [_silence_data(silence) for silence in silences]}
    return Report("alerts.list", data=data, sections=tuple(sections))


def _row(alert: HeldAlert) -> dict[str, Any]:
    state = "silenced" if alert.silenced_by else "inhibited" if alert.inhibited_by else "firing"
    return _facts(alert.name, state, alert.labels, alert.annotations, alert.starts_at)


def _pending(alert: PendingOrFiring) -> dict[str, Any]:
    return _facts(alert.name, "pending", alert.labels, alert.annotations, alert.active_since)


def _facts(name: str, state: str, labels: Any, annotations: Any, since: datetime) -> dict[str, Any]:
    hidden = {"alertname", "severity", "category", "outage"}
    what = " ".join(f"{key}={value}" for key, value in sorted(labels.items()) if key not in hidden)
    return {
        "name": name,
        "severity": labels.get("severity", ""),
        "state": state,
        "since": since.isoformat(),
        "what": what,
        "summary": annotations.get("summary", ""),
        "labels": dict(labels),
    }


def _ago(since: str) -> str:
    passed = int((datetime.now(UTC) - datetime.fromisoformat(since)).total_seconds())
    return f"{passed} s" if passed < 120 else f"{passed // 60} min" if passed < 7200 else f"{passed // 3600} h"


def _silences(found: Sequence[Silence]) -> Table:
    rows = tuple(
        (
            silence.id,
            " ".join(map(str, silence.matchers)),
            f"{silence.ends_at:%m-%d %H:%M}",
            silence.author,
            silence.comment,
        )
        for silence in found
    )
    return Table(("silence", "matches", "until (UTC)", "by", "why"), rows)


def _silence_data(silence: Silence) -> dict[str, Any]:
    return {
        "id": silence.id,
        "state": silence.state,
        "matchers": [str(matcher) for matcher in silence.matchers],
        "starts_at": silence.starts_at.isoformat(),
        "ends_at": silence.ends_at.isoformat(),
        "author": silence.author,
        "comment": silence.comment,
    }


def show(ops: Ops, name: str) -> Report:
    """One alert: its rule, whether it fires, and the first lines of its runbook. Raises ``OpsError`` TB-0216."""
    rules = [rule for rule in ops.prometheus.rules() if rule.kind == "alerting" and rule.name.lower() == name.lower()]
    if not rules:
        raise OpsError(f"There is no alert {name}.", code="TB-0216", hint="tradebot monitoring rules")
    active = [_facts(a.name, a.state, a.labels, a.annotations, a.active_since) for a in ops.prometheus.alerts()]
    active = [row for row in active if row["name"] == rules[0].name]
    sections = [Section(tables=(Table(("", ""), _rule_rows(rule)),)) for rule in rules]
    rows = tuple((row["state"], _ago(row["since"]), row["what"], row["summary"]) for row in active)
    table = Table(("state", "for", "where", "summary"), rows)
    sections.append(Section("Now", tables=(table,)) if rows else Section("Now", lines=("It does not fire.",)))
    sections.append(Section(lines=(f"What to do: tradebot runbook show {rules[0].name}",)))
    data = {"rules": [dict(_rule_rows(rule)) for rule in rules], "active": active}
    return Report("alerts.show", data=data, sections=tuple(sections))


def _rule_rows(rule: Rule) -> tuple[tuple[str, str], ...]:
    return (
        ("alert", rule.name),
        ("severity", rule.labels.get("severity", "")),
        ("fires after", f"{rule.for_seconds:.0f} s"),
        ("state", rule.state),
        ("query", rule.query),
        ("summary", rule.annotations.get("summary", "")),
        ("description", rule.annotations.get("description", "")),
        ("file", rule.file),
    )


def history(ops: Ops, name: str | None, limit: int) -> Report:
    """What the API stored of all that Alertmanager told it, newest first; Watchdog and the like only by name."""
    found = ops.api.alerts(500 if name is None else limit, name)
    found = [alert for alert in found if name is not None or alert["name"] not in BACKGROUND][:limit]
    rows = tuple(
        (_second(alert["received_at"]), _second(alert["last_received_at"]), alert["name"], alert["status"],
         alert["severity"], alert["annotations"].get("summary", ""))
        for alert in found
    )  # fmt: skip
    table = Table(("received (UTC)", "last repeated", "alert", "status", "severity", "summary"), rows)
    nothing = "No alert was stored yet." if name is None else f"No alert of the name {name} is stored."
    section = Section(tables=(table,)) if rows else Section(lines=(nothing,))
    return Report("alerts.history", data={"alerts": found}, sections=(section,))


def _second(moment: str) -> str:
    return moment[:19].replace("T", " ")


def silence(ops: Ops, words: Sequence[str], lasting: str | None, comment: str | None) -> Report:
    """Keep matching alerts quiet for a while. Raises ``OpsError`` TB-0210 without an end or a comment."""
    if lasting is None:
        raise OpsError(
            "A silence needs an end: for ever would hide the next outage.",
            code="TB-0210",
            hint='tradebot alerts silence HighCPUUsage --for 2h --comment "load test"',
        )
    matchers = [matcher(word) for word in words]
    ends = datetime.now(UTC) + timedelta(seconds=seconds(lasting))
    made = ops.alertmanager.silence(matchers, ends, _author(), comment or "")
    line = f"Silenced {' '.join(map(str, matchers))} until {ends:%Y-%m-%d %H:%M} UTC."
    lines = (line, f"End it: tradebot alerts unsilence {made}")
    return Report(
        "alerts.silence", data={"id": made, "ends_at": ends.isoformat()}, findings=_unknown(ops, matchers),
        sections=(Section(lines=lines),),
    )  # fmt: skip


def _unknown(ops: Ops, matchers: Sequence[Matcher]) -> tuple[Finding, ...]:
    """A word about names that no rule has; the silence stands, as an alert may come from elsewhere."""
    named = [each for each in matchers if each.name == "alertname" and each.equal]
    if not named:
        return ()
    try:
        rules = {rule.name for rule in ops.prometheus.rules() if rule.kind == "alerting"}
    except OpsError as error:
        said = f"Whether there is such an alert could not be looked up: {error.message}"
        return (Finding(Level.INFO, "silence.unchecked", said),)
    return tuple(
        Finding(
            Level.WARN,
            "silence.unknown",
            f"No rule fits {each}, so no alert of this stack is kept quiet.",
            hint=f"{_meant(each.value, rules)}tradebot monitoring rules",
        )
        for each in named
        if not fits(each, rules)
    )


def fits(wanted: Matcher, names: Iterable[str]) -> bool:
    """Whether the matcher takes any of the names."""
    if not wanted.regex:
        return wanted.value in names
    # Go's expressions, which Alertmanager accepted, are not quite Python's: what cannot be judged is not blamed.
    if "[:" in wanted.value:
        return True
    try:
        return any(re.fullmatch(wanted.value, name) for name in names)
    except re.error:
        return True


def _meant(name: str, names: Iterable[str]) -> str:
    found = {each.lower(): each for each in names}
    near = get_close_matches(name.lower(), found, 1)
    return f"Did you mean {found[near[0]]}? " if near else ""


def _author() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in some containers
        return "tradebot"


def matcher(word: str) -> Matcher:
    """``HighCPUUsage``, ``instance=x``, ``job=~"a|b"``, ``severity!=critical``."""
    match = _MATCHER.fullmatch(word)
    if match is None:
        return Matcher("alertname", word)
    name, sign, value = match[1], match[2], match[3].strip('"')
    return Matcher(name, value, regex="~" in sign, equal=not sign.startswith("!"))


def unsilence(ops: Ops, silence_id: str) -> Report:
    """End a silence; a beginning of its id that fits only one is enough."""
    known = [found.id for found in ops.alertmanager.silences() if found.state != "expired"]
    fitting = [each for each in known if each.startswith(silence_id)] if silence_id else []
    chosen = fitting[0] if len(fitting) == 1 else silence_id
    ops.alertmanager.unsilence(chosen)
    return Report("alerts.unsilence", data={"id": chosen}, sections=(Section(lines=(f"Ended the silence {chosen}.",)),))


def test_rules(ops: Ops, chosen: Sequence[str]) -> Report:
    """The unit tests of the rules."""
    said = promtool.test_rules(ops, chosen)
    lines = tuple(line.rstrip() for line in said.output.splitlines() if line.strip())
    findings = () if said.ok else (Finding(Level.FAIL, "rules.test", "A rule does not do what its test says."),)
    shown = lines if not said.ok else (f"{sum('SUCCESS' in line for line in lines)} files of tests passed.",)
    return Report(
        "alerts.test-rules", data={"ok": said.ok, "output": said.output}, findings=findings,
        sections=(Section(lines=shown),),
    )  # fmt: skip


def lint(ops: Ops) -> Report:
    """Files as their own tools read them, runbooks for every alert, and metrics for every expression."""
    files = promtool.check(ops)
    pages = set(runbooks.names(ops))
    uses = metrics.uses(ops)
    alerts = sorted({use.where.removeprefix("alert ") for use in uses if use.where.startswith("alert ")})
    findings = [
        Finding(
            Level.FAIL, "alert.runbook", f"The alert {alert} has no runbook.", hint=f"Write docs/runbooks/{alert}.md"
        )
        for alert in alerts
        if alert not in pages
    ]
    findings += metrics.contract(ops, live=False).findings
    line = (
        f"{len(files)} files and {len(alerts)} alerts looked at: {'nothing is wrong' if not findings else 'see above'}."
    )
    return Report(
        "alerts.lint", data={"files": list(files), "alerts": alerts}, findings=tuple(findings),
        sections=(Section(lines=(line,)),),
    )  # fmt: skip
