"""Whether news of a job would reach anybody: asked when an operator wishes for it."""

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.monitoring.routes import receivers

#: What the API sends for a job that ended.
ALERT = {"alertname": "JobEnded"}
WISHES = ("end", "dead")


def check(wish: str | None) -> None:
    """Raises ``OpsError`` TB-0246 for a wish that there is not."""
    if wish is not None and wish not in WISHES:
        raise OpsError(
            f"'{wish}' is no reason to notify anybody.",
            code="TB-0246",
            hint="--notify end, or --notify dead for a job that is given up",
        )


def doubts(ops: Ops) -> tuple[str, ...]:
    """Why news would reach nobody now; the job is submitted all the same, and its news waits for a day."""
    try:
        found = receivers(ops.alertmanager.status().config, ALERT)
    except OpsError as error:
        return (f"Nobody is notified until Alertmanager answers: {error.message} {error.hint}".rstrip(),)
    if any(found.values()):
        return ()
    return ("No channel leads to anybody, so that nobody is notified: see docs/monitoring.md, tradebot alerts lint",)
