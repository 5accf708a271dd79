"""Work of the API besides answering: it stores counted errors, sends news of jobs, and removes what is old."""

import asyncio
import time

import psycopg
import structlog

from services.api.alerts.quality import AlertQuality
from services.api.alerts.store import AlertStore
from services.api.dependencies import Dependencies
from services.common.database import DatabaseUnavailable
from services.common.ledger import State
from services.common.ledger.history import BATCH

STORE_ERRORS_S = 2.0
PRUNE_S = 3600.0
DAY_S = 86_400.0
#: Dead jobs are not among them: they wait for an operator.
DONE = (State.SUCCEEDED, State.CANCELLED)

log = structlog.get_logger(__name__)


async def housekeeping(dependencies: Dependencies) -> None:
    """Until it is cancelled. As long as there is more to forget it goes on at once, a little at a time."""
    pruned_at, more = float("-inf"), False
    while True:
        await asyncio.sleep(STORE_ERRORS_S)
        await asyncio.to_thread(dependencies.errors.store)
        await asyncio.to_thread(notify, dependencies)
        if more or time.monotonic() - pruned_at > PRUNE_S:
            pruned_at = time.monotonic()
            more = await asyncio.to_thread(prune, dependencies)


def notify(dependencies: Dependencies) -> None:
    """Send news of jobs that have ended to whoever wished for it."""
    try:
        dependencies.notifier.notify()
    except (DatabaseUnavailable, psycopg.Error) as error:
        log.debug("news of jobs waits", reason=str(error))


def prune(dependencies: Dependencies) -> bool:
    """Forget what is older than the settings say; True when there is more of it."""
    settings = dependencies.settings
    try:
        alerts = AlertStore(dependencies.database).prune(settings.alert_history_days)
        AlertQuality(dependencies.database).prune()
        dependencies.calls.prune()
        jobs = (
            dependencies.history.prune(settings.job_retention_days * DAY_S, DONE) if settings.job_retention_days else 0
        )
    except (DatabaseUnavailable, psycopg.Error) as error:
        log.warning("old alerts and jobs stay for now", reason=str(error))
        return False
    if alerts:
        log.info("old alerts removed", count=alerts)
    if jobs:
        log.info("old jobs removed", count=jobs, older_than_days=settings.job_retention_days)
    return jobs == BATCH
