"""Looks that no check of prod-check has: reports of other commands, and the judgement on each. They change nothing."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from tradebot_ops.context import Ops
from tradebot_ops.diagnostics import errors
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Finding, Level, Report
from tradebot_ops.operations import kpi
from tradebot_ops.operations.alerts import overview, quality
from tradebot_ops.operations.backup.create import shelf_of
from tradebot_ops.operations.backup.verify import verify
from tradebot_ops.operations.jobs import dead_letters
from tradebot_ops.operations.optimize import plan
from tradebot_ops.operations.rotation import looking
from tradebot_ops.operations.rotation.rotate import own
from tradebot_ops.operations.rotation.ways import WAYS
from tradebot_ops.progress import ignore_progress
from tradebot_ops.routine.item import Look
from tradebot_ops.text.quantities import age
from tradebot_ops.text.sentences import agreed, ended

#: A secret that can be changed while the stack works, and was not for so long, is found.
OLD_SECRET = timedelta(days=90)
#: Fewer alerts than that are right: people stop reading them.
RIGHT = 0.95


class NotAsked(OpsError):  # noqa: N818 - like all kinds, named for what is the case
    """It changes something, and nobody agreed to that."""


def firing() -> Look:
    return Look("tradebot alerts list", lambda ops: overview.list_(ops, every=False), judge_firing)


def judge_firing(report: Report) -> Sequence[Finding]:
    """A critical alert is a failure, another one a warning; what is silenced or not firing yet is neither."""
    alerts = [each for each in _data(report)["alerts"] if each["state"] == "firing"]
    if not alerts:
        return (Finding(Level.PASS, "alerts", "No alert fires."),)
    return [
        Finding(
            Level.FAIL if each["severity"] == "critical" else Level.WARN,
            "alerts",
            f"{each['name']} fires ({each['severity']}): {ended(each['summary'] or each['what'])}",
            hint=f"tradebot runbook show {each['name']}",
        )
        for each in alerts
    ]


def read_back() -> Look:
    return Look("tradebot backup list", _newest_backup)


def _newest_backup(ops: Ops) -> Report:
    """Every byte of the newest one is read."""
    whole = [each for each in shelf_of(ops).all() if each.manifest]
    if not whole:
        return Report(findings=(Finding(Level.SKIP, "backup", "There is no backup to read.", hint="tradebot backup"),))
    wrong = whole[-1].damaged_files()
    found = [
        Finding(Level.FAIL, "backup", f"Backup {whole[-1].id}: {ended(each)}", hint="tradebot backup") for each in wrong
    ]
    if whole[-1].refutation:
        found.append(Finding(Level.FAIL, "backup", ended(whole[-1].damage), hint="tradebot backup"))
    fine = Finding(Level.PASS, "backup", f"Every byte of the backup {whole[-1].id} is as it was written.")
    return Report(findings=tuple(found) or (fine,))


def figures(period: str) -> Look:
    return Look(f"tradebot kpi --period {period}", lambda ops: kpi.report(ops, period), judge_figures)


def judge_figures(report: Report) -> Sequence[Finding]:
    """Key figures that missed their targets; those without data say nothing."""
    found = _data(report)["figures"]
    missed = [each for each in found if each["met"] is False]
    if missed:
        return [
            Finding(Level.WARN, "kpi", f"{each['name']}: {each['shown']}, and the target is {each['target']}.")
            for each in missed
        ]
    known = sum(each["met"] is True for each in found)
    level = Level.PASS if known else Level.SKIP
    return (Finding(level, "kpi", agreed(f"{known} key figures are met.") if known else "No key figure has data yet."),)


def dead() -> Look:
    return Look("tradebot dlq summary", dead_letters.summary, judge_dead)


def judge_dead(report: Report) -> Sequence[Finding]:
    """A warning for each group of dead jobs that nobody set aside."""
    groups: Any = report.data
    open_ = [each for each in groups if not each["quarantined"]]
    if not open_:
        return (Finding(Level.PASS, "dlq", "No dead job waits for a decision."),)
    return [
        Finding(
            Level.WARN,
            "dlq",
            f"{_jobs(each['jobs'])} of {each['type']}: {each['error_type']}: {ended(each['message'])}",
            hint=f"tradebot dlq list --group {each['fingerprint']}",
        )
        for each in open_
    ]


def _jobs(count: int) -> str:
    return f"{count} dead job{'' if count == 1 else 's'}"


def faults(since: str) -> Look:
    typed = f"tradebot diag errors --since {since}"

    def judge(report: Report) -> Sequence[Finding]:
        return judge_faults(report, typed)

    return Look(typed, lambda ops: errors.report(ops, since), judge)


def judge_faults(report: Report, typed: str) -> Sequence[Finding]:
    """One warning for all of them: they have a command of their own."""
    found, away = _data(report)["faults"], _data(report)["not_examined"]
    if found:
        total = sum(each["count"] for each in found)
        return (Finding(Level.WARN, "errors", agreed(f"{len(found)} faults, seen {total} times."), hint=typed),)
    if "logs" in away:
        return (Finding(Level.SKIP, "errors", str(away["logs"])),)
    return (Finding(Level.PASS, "errors", "No errors."),)


def effective(since: str) -> Look:
    return Look(f"tradebot alerts stats --since {since}", lambda ops: quality.stats(ops, None, since), judge_effective)


def judge_effective(report: Report) -> Sequence[Finding]:
    """Alerts that were often wrong, and those with firings that nobody judged."""
    alerts = _data(report)["alerts"]
    found = [
        Finding(
            Level.WARN,
            "alerts",
            f"{each['name']} was right in {each['accuracy']:.0%} of what was judged.",
            hint=f"tradebot alerts show {each['name']}",
        )
        for each in alerts
        if each["accuracy"] is not None and each["accuracy"] < RIGHT
    ]
    found += [
        Finding(
            Level.WARN,
            "alerts",
            f"{each['name']} fired {each['fired']} ×, and {each['acknowledged']} of them were judged.",
            hint=f"tradebot alerts ack {each['name']} --reason TEXT",
        )
        for each in alerts
        if each["acknowledged"] < each["fired"]
    ]
    return found or (Finding(Level.PASS, "alerts", agreed(f"{len(alerts)} alerts fired, all of them judged.")),)


def fitting(window: str) -> Look:
    return Look(f"tradebot optimize plan --window {window}", lambda ops: plan.plan(ops, window), judge_fitting)


def judge_fitting(report: Report) -> Sequence[Finding]:
    """Settings that do not fit what was used; with too little on record nothing is decided."""
    data = _data(report)
    if data["lacking"]:
        return (Finding(Level.SKIP, "optimize", str(data["lacking"])),)
    if not data["changes"]:
        return (Finding(Level.PASS, "optimize", "Every setting fits what was used."),)
    return [
        Finding(
            Level.WARN,
            "optimize",
            f"{each['setting']} is {each['from']}, and {each['to']} would fit: {ended(each['why'])}",
            hint="tradebot optimize apply",
        )
        for each in data["changes"]
    ]


def rehearsal() -> Look:
    return Look("tradebot backup verify latest --deep", _rehearse)


def _rehearse(ops: Ops) -> Report:
    """The newest backup, restored beside the stack's database, compared and dropped: it needs room, so `--yes`."""
    if not ops.settings.yes:
        message = "A restore beside the stack's database takes room and time, and was not agreed to."
        raise NotAsked(message, code="TB-0929", hint="tradebot routine monthly --yes")
    done = verify(ops, shelf_of(ops), "latest", ignore_progress, deep=True)
    return Report(findings=(Finding(Level.PASS, "backup", " ".join(done.sections[0].lines)),))


def sound_secrets() -> Look:
    return Look("tradebot secrets check", looking.check)


def old_secrets() -> Look:
    return Look("tradebot secrets list", _old)


def _old(ops: Ops) -> Report:
    """Those that can be changed while the stack works."""
    now = ops.clock()
    files = {name: secret.file for name, secret in own(ops).items() if name in WAYS and WAYS[name].change}
    ages = {
        name: now - datetime.fromtimestamp(file.stat().st_mtime, UTC) for name, file in files.items() if file.is_file()
    }
    return Report(findings=tuple(judge_ages(ages)))


def judge_ages(ages: Mapping[str, timedelta]) -> Sequence[Finding]:
    old = {name: each for name, each in ages.items() if each > OLD_SECRET}
    if not old:
        level = Level.PASS if ages else Level.SKIP
        return (Finding(level, "secrets", f"No secret that can be changed is older than {OLD_SECRET.days} days."),)
    return [
        Finding(Level.WARN, "secrets", f"{name} is {age(each)} old.", hint=f"tradebot secrets rotate {name}")
        for name, each in old.items()
    ]


def _data(report: Report) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", report.data)
