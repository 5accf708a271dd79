"""Notify people of how their jobs ended: one alert for each, through the receiver `jobs` of Alertmanager.

It groups, repeats and delivers, and it knows an alert that it is given twice. Nothing is lost while it is away: wishes
stay in the ledger until they are done, for a day.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import structlog

from services.api.basic_auth import login
from services.api.live_secret import LiveSecret
from services.api.trust import Trust, context, extensions
from services.common.database import storable_text
from services.common.ledger import Ended, Notices
from services.common.settings import Settings

ALERT = "JobEnded"
TIMEOUT_S = 5.0
#: Alertmanager forgets it after so long; whoever joins a group until then is in the same message.
LASTS = timedelta(minutes=5)
#: News that is older is none.
TOO_OLD_S = 86_400.0
WORDS = {"succeeded": "succeeded", "dead": "was given up", "cancelled": "was cancelled"}
MESSAGE_CHARACTERS = 500

log = structlog.get_logger(__name__)


class AlertmanagerAway(Exception):  # noqa: N818 - reads as what it is
    """It did not take the alerts: they are sent again."""


class Notifier:
    """Sends what is due, a batch at a time; called from one thread."""

    def __init__(self, notices: Notices, alertmanager: "Alertmanager") -> None:
        self._notices = notices
        self._alertmanager = alertmanager
        self._away = False

    def notify(self) -> int:
        """How many were sent. Raises ``DatabaseUnavailable``; an Alertmanager that is away is logged once."""
        try:
            with self._notices.due() as found:
                wanted = [each for each in found if each.wanted]
                late = [str(each.job_id) for each in wanted if each.age_s > TOO_OLD_S]
                now = datetime.now(UTC)
                alerts = [alert_of(each, now) for each in wanted if each.age_s <= TOO_OLD_S]
                if alerts:
                    self._alertmanager.post(alerts)
        except AlertmanagerAway as error:
            if not self._away:
                log.warning("nobody is notified of jobs that ended, until Alertmanager answers", reason=str(error))
            self._away = True
            return 0
        self._away = self._away and not alerts
        if late:
            log.warning("nobody was notified: these jobs ended more than a day ago", jobs=late)
        return len(alerts)


def alert_of(job: Ended, now: datetime) -> dict[str, Any]:
    """The alert of Alertmanager's API v2."""
    reason = f": {storable_text(job.message)[:MESSAGE_CHARACTERS].rstrip('.')}" if job.message else ""
    summary = f"Job {str(job.job_id)[:8]} ({job.type}) {WORDS[job.state]}{reason}."
    ended = job.finished_at.astimezone(UTC)
    return {
        "labels": {
            "alertname": ALERT,
            "severity": "warning" if job.state == "dead" else "info",
            "job_type": job.type,
            "outcome": job.state,
            "job_id": str(job.job_id),
        },
        "annotations": {
            "summary": summary,
            "description": f"It ended at {ended:%Y-%m-%d %H:%M:%S} UTC; its last run took {job.seconds:.0f} s. "
            f"More: tradebot jobs show {job.job_id}",
        },
        "startsAt": ended.isoformat(),
        "endsAt": (now + LASTS).isoformat(),
    }


class Alertmanager:
    """Whoever takes alerts, over HTTP; an empty URL takes none."""

    def __init__(self, settings: Settings, *, transport: httpx.BaseTransport | None = None) -> None:
        self._url = settings.alertmanager_url
        self._login = login(settings.alertmanager_user, LiveSecret.of(settings.alertmanager_password_file))
        self._transport = transport
        self._trust = Trust.of(settings, self._url)

    def post(self, alerts: list[dict[str, Any]]) -> None:
        """Raises ``AlertmanagerAway`` unless it took them."""
        if not self._url:
            raise AlertmanagerAway("none is configured (ALERTMANAGER_URL is empty)")
        try:
            with httpx.Client(
                auth=self._login,
                timeout=TIMEOUT_S,
                trust_env=False,
                transport=self._transport,
                verify=context(self._trust),
            ) as client:
                answer = client.post(f"{self._url}/api/v2/alerts", json=alerts, extensions=extensions(self._trust))
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise AlertmanagerAway(f"{self._url} cannot be reached: {error}") from error
        if not answer.is_success:
            raise AlertmanagerAway(f"{self._url} answers HTTP {answer.status_code}")
