"""Alerts: Alertmanager's webhook, and the notifications received through it."""

from datetime import datetime
from typing import Annotated

import structlog
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from services.api.alert_store import Alert, AlertStore
from services.api.security import Provided, WithAlertToken

router = APIRouter(prefix="/alerts", tags=["alerts"])
log = structlog.get_logger(__name__)


class Notification(BaseModel):
    """Body that Alertmanager posts; https://prometheus.io/docs/alerting/latest/configuration/#webhook_config"""

    model_config = ConfigDict(extra="ignore")

    alerts: list[Alert]


class Received(BaseModel):
    received: int
    new: int


class AlertOut(BaseModel):
    received_at: datetime
    last_received_at: datetime
    fingerprint: str
    name: str
    status: str
    severity: str
    starts_at: datetime
    ends_at: datetime | None
    labels: dict[str, str]
    annotations: dict[str, str]


class AlertList(BaseModel):
    alerts: list[AlertOut]


@router.post("/webhook", dependencies=[WithAlertToken])
def webhook(notification: Notification, dependencies: Provided) -> Received:
    """Keep every change of an alert once. An error makes Alertmanager try again."""
    store = AlertStore(dependencies.database)
    new = [alert for alert in notification.alerts if store.add(alert)]
    for alert in new:
        log.warning("alert", name=alert.labels.get("alertname"), status=alert.status, labels=alert.labels)
    return Received(received=len(notification.alerts), new=len(new))


@router.get("")
def list_alerts(
    dependencies: Provided,
    name: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> AlertList:
    """Notifications received from Alertmanager, of all alerts or of one, most recent first."""
    return AlertList(alerts=[AlertOut(**row) for row in AlertStore(dependencies.database).latest(limit, name)])
