"""`optimize plan`: what would be set, why, and what it frees."""

from dataclasses import asdict

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.asking import Facts
from tradebot_ops.facts.metrics import usage
from tradebot_ops.facts.metrics.usage import Usage
from tradebot_ops.model import Report, Section, Table
from tradebot_ops.operations.monitoring.query import seconds
from tradebot_ops.operations.optimize.decide import Decision, decide
from tradebot_ops.operations.optimize.limits import in_force, shown, written
from tradebot_ops.text.quantities import human_bytes, quantity
from tradebot_ops.text.sentences import agreed

#: Shorter ones hold too few samples to say what is usual.
LEAST_S = 120.0


def plan(ops: Ops, window: str) -> Report:
    """Look at the window that ends now. Changes nothing; raises ``OpsError`` TB-0234 for one that is too short."""
    measured, decision = look(ops, window)
    hint = "Do it: tradebot optimize apply" if decision.changes else ""
    return Report(data=content(measured, decision), sections=sections(measured, decision, hint))


def look(ops: Ops, window: str) -> tuple[Usage, Decision]:
    """Measured usage, and what follows. Raises what asking Prometheus and Postgres raises."""
    length = seconds(window)
    if length < LEAST_S:
        raise OpsError(
            f"{window} are too short to learn from.", code="TB-0234", hint=f"Use {LEAST_S / 60:.0f}m or more."
        )
    measured = Facts(ops).required(usage.over(length))
    return measured, decide(measured, in_force(ops))


def sections(measured: Usage, decision: Decision, last: str) -> tuple[Section, ...]:
    if decision.lacking:
        shorter = "A shorter window may do: --window 1h"
        return (Section(lines=(f"Nothing is decided. {decision.lacking}", shorter)),)
    rows = tuple(
        (
            change.setting,
            shown(change.setting, change.before),
            shown(change.setting, change.after),
            _freed(change.frees),
            change.why,
        )
        for change in decision.changes
    )
    kept = tuple((each.setting, "fits" if each.known else "unknown", each.why) for each in decision.kept)
    head = f"Measured over {quantity(measured.measured_s, 's')}. {_summary(decision)}"
    tables = [
        Table(("setting", "now", "then", "frees", "why"), rows, "Changes"),
        Table(("setting", "", "why"), kept, "Kept"),
    ]
    lines = (head, last) if last else (head,)
    return (Section(lines=lines, tables=tuple(table for table in tables if table.rows)),)


def content(measured: Usage, decision: Decision) -> dict[str, object]:
    return {
        "usage": asdict(measured),
        "lacking": decision.lacking,
        "changes": [
            {
                "setting": change.setting,
                "from": written(change.setting, change.before),
                "to": written(change.setting, change.after),
                "why": change.why,
                "frees_bytes": change.frees,
            }
            for change in decision.changes
        ],
        "kept": [{"setting": each.setting, "why": each.why, "known": each.known} for each in decision.kept],
    }


def _freed(size: int) -> str:
    if not size:
        return "–"
    return human_bytes(size) if size > 0 else f"costs {human_bytes(-size)}"


def _summary(decision: Decision) -> str:
    if not decision.changes:
        return "Nothing to change: every setting fits, or too little is known."
    total = sum(change.frees for change in decision.changes)
    effect = f"frees {human_bytes(total)}" if total >= 0 else f"costs {human_bytes(-total)}"
    return agreed(f"{len(decision.changes)} settings would change, which {effect}.")
