"""Alerts as Alertmanager reports them, kept in Postgres: each change of an alert is one row.

A repeat only moves the row's ``last_received_at``; that of Watchdog says whether alerts would arrive at all.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from psycopg.types.json import Jsonb
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from services.common.database import Database, storable_text

INSERT = """
INSERT INTO alert_event (fingerprint, name, status, severity, starts_at, ends_at, labels, annotations)
VALUES (%(fingerprint)s, %(name)s, %(status)s, %(severity)s, %(starts_at)s, %(ends_at)s,
        %(labels)s, %(annotations)s)
ON CONFLICT (fingerprint, starts_at, status) DO UPDATE SET last_received_at = now()
RETURNING received_at = last_received_at AS new
"""

LATEST = """
SELECT received_at, last_received_at, fingerprint, name, status, severity, starts_at, ends_at, labels, annotations,
  to_jsonb(ack) - ARRAY['fingerprint', 'starts_at'] AS acknowledged
FROM alert_event LEFT JOIN alert_ack AS ack USING (fingerprint, starts_at)
WHERE %(name)s::text IS NULL OR lower(name) = lower(%(name)s)
ORDER BY received_at DESC, id DESC LIMIT %(limit)s
"""

LAST_RECEIVED = """
SELECT max(last_received_at) AS at FROM alert_event WHERE lower(name) = lower(%(name)s) AND status = 'firing'
"""

# So many at once that none of these statements takes long; what is left goes an hour later.
PRUNE = """
DELETE FROM alert_event WHERE id IN (
  SELECT id FROM alert_event WHERE last_received_at < now() - make_interval(days => %(days)s) LIMIT 10000)
RETURNING id
"""


def _in_utc(value: datetime) -> datetime:
    """Raises ``ValueError`` for a time that is within the calendar only in its own time zone."""
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("is outside the calendar") from None


#: What Postgres refuses stands in it as escapes: an alert with a NUL in a label is still an alert.
Text = Annotated[str, BeforeValidator(lambda value: storable_text(value) if isinstance(value, str) else value)]
Moment = Annotated[datetime, AfterValidator(_in_utc)]


class Alert(BaseModel):
    """One alert of a webhook call; Alertmanager sends more fields than we keep."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)

    status: Literal["firing", "resolved"]
    labels: dict[Text, Text]
    annotations: dict[Text, Text] = Field(default_factory=dict)
    starts_at: Moment = Field(alias="startsAt")
    ends_at: Moment | None = Field(default=None, alias="endsAt")
    fingerprint: Text = Field(min_length=1, max_length=100)


class AlertStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, alert: Alert) -> bool:
        """Keep the alert; False when this change of it is known (Alertmanager repeats itself)."""
        row = {
            "fingerprint": alert.fingerprint,
            "name": alert.labels.get("alertname", ""),
            "status": alert.status,
            "severity": alert.labels.get("severity", ""),
            "starts_at": alert.starts_at,
            "ends_at": alert.ends_at if alert.status == "resolved" else None,
            "labels": Jsonb(alert.labels),
            "annotations": Jsonb(alert.annotations),
        }
        stored = self._database.row(INSERT, row)
        return stored is not None and bool(stored["new"])

    def latest(self, limit: int, name: str | None = None) -> list[dict[str, Any]]:
        """Changes of all alerts, or of the one of this name in any spelling, most recent first; acknowledged or not."""
        return self._database.rows(LATEST, {"limit": limit, "name": name})

    def last_received(self, name: str) -> datetime | None:
        """Time of Alertmanager's last notification that this alert fires; None if there was none."""
        found = self._database.row(LAST_RECEIVED, {"name": name})
        return found["at"] if found else None

    def prune(self, days: int) -> int:
        """Forget what was last heard of more than ``days`` ago; returns how much that was."""
        return len(self._database.rows(PRUNE, {"days": days}))
