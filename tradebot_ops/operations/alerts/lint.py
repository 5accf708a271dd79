"""Whether the alert rules are right, without anything running."""

from collections.abc import Sequence

from tradebot_ops.context import Ops
from tradebot_ops.facts.alerting import runbooks
from tradebot_ops.facts.metrics import config_files, promtool
from tradebot_ops.model import Finding, Level, Report, Section
from tradebot_ops.operations.monitoring import contract
from tradebot_ops.text.sentences import agreed


def test_rules(ops: Ops, chosen: Sequence[str]) -> Report:
    """The unit tests of the rules."""
    result = promtool.test_rules(ops, chosen)
    lines = tuple(line.rstrip() for line in result.output.splitlines() if line.strip())
    findings = () if result.ok else (Finding(Level.FAIL, "rules.test", "A rule does not do what its test says."),)
    shown = lines if not result.ok else (agreed(f"{sum('SUCCESS' in line for line in lines)} files of tests passed."),)
    return Report(
        data={"ok": result.ok, "output": result.output}, findings=findings,
        sections=(Section(lines=shown),),
    )  # fmt: skip


def lint(ops: Ops) -> Report:
    """Files as their own tools read them, runbooks for every alert, and metrics for every expression."""
    files = promtool.check(ops)
    pages = set(runbooks.names(ops))
    uses = config_files.uses(ops)
    alerts = sorted({use.where.removeprefix("alert ") for use in uses if use.where.startswith("alert ")})
    findings = [
        Finding(
            Level.FAIL, "alert.runbook", f"The alert {alert} has no runbook.", hint=f"Write docs/runbooks/{alert}.md"
        )
        for alert in alerts
        if alert not in pages
    ]
    findings += contract.contract(ops, live=False).findings
    line = agreed(
        f"{len(files)} files and {len(alerts)} alerts looked at: {'nothing is wrong' if not findings else 'see above'}."
    )
    return Report(
        data={"files": list(files), "alerts": alerts}, findings=tuple(findings),
        sections=(Section(lines=(line,)),),
    )  # fmt: skip
