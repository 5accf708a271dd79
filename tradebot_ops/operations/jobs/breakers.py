"""Circuit breakers around services outside of the stack, through the API."""

from datetime import datetime, timedelta
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report, Section, Table
from tradebot_ops.operations.change import change
from tradebot_ops.progress import OnProgress, ignore_progress
from tradebot_ops.text.quantities import age, ago
from tradebot_ops.text.suggest import did_you_mean

NONE = "No service outside of the stack has failed so far, so there is no circuit breaker."


def list_(ops: Ops) -> Report:
    """Every breaker: its state, how long it stays open, how often it opened, and the last failure."""
    found, now = ops.api.breakers(), ops.clock()
    if not found:
        return Report(data=found, sections=(Section(lines=(NONE,)),))
    rows = tuple(
        (
            each["name"],
            "open" if each["open"] else "closed",
            _left(each["open_until"], now),
            str(each["trips"]),
            ago(each["opened_at"], now) if each["opened_at"] else "",
            each["error"],
        )
        for each in found
    )
    table = Table(("breaker", "state", "tries in", "trips", "last opened", "last error"), rows)
    hint = ("Once the service is back: tradebot breakers reset NAME",) if any(each["open"] for each in found) else ()
    return Report(data=found, sections=(Section(tables=(table,)), *([Section(lines=hint)] if hint else [])))


def _left(open_until: str | None, now: datetime) -> str:
    """The time until one call is let through; that may be overdue where nobody calls."""
    return "" if open_until is None else age(max(datetime.fromisoformat(open_until) - now, timedelta(0)))


def reset(ops: Ops, name: str, on_progress: OnProgress = ignore_progress) -> Report:
    """Close a breaker. Raises ``OpsError`` TB-0225 for one that is not known."""
    known: list[dict[str, Any]] = ops.api.breakers()
    names = [each["name"] for each in known]
    if name not in names:
        raise OpsError(
            f"There is no circuit breaker '{name}'. {did_you_mean(name, names)}".rstrip(),
            code="TB-0225",
            hint="tradebot breakers list",
        )
    with change(ops, "breakers reset", name, on_progress=on_progress, lease=False):
        found = ops.api.reset_breaker(name)
    line = f"The circuit breaker {name} is closed. Jobs that waited for it run now."
    return Report(data=found, sections=(Section(lines=(line,)),))
