"""Alerts as Alertmanager reports them, kept in Postgres: each change of an alert is one row."""

from datetime import datetime
from typing import Any, Literal

from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict, Field

from services.common.database import Database

INSERT = """
INSERT INTO alert_event (fingerprint, name, status, severity, starts_at, ends_at, labels, annotations)
VALUES (%(fingerprint)s, %(name)s, %(status)s, %(severity)s, %(starts_at)s, %(ends_at)s,
        %(labels)s, %(annotations)s)
ON CONFLICT (fingerprint, starts_at, status) DO NOTHING
RETURNING id
"""

LATEST = """
SELECT received_at, fingerprint, name, status, severity, starts_at, ends_at, labels, annotations
FROM alert_event ORDER BY received_at DESC, id DESC LIMIT %(limit)s
"""


class Alert(BaseModel):
    """One alert of a webhook call; Alertmanager sends more fields than we keep."""

    model_config = ConfigDict(extra="ignore")

    status: Literal["firing", "resolved"]
    labels: dict[str, str]
    annotations: dict[str, str] = Field(default_factory=dict)
    starts_at: datetime = Field(alias="startsAt")
    ends_at: datetime | None = Field(default=None, alias="endsAt")
    fingerprint: str = Field(min_length=1, max_length=100)


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
        return self._database.row(INSERT, row) is not None

    def latest(self, limit: int) -> list[dict[str, Any]]:
        return self._database.rows(LATEST, {"limit": limit})
