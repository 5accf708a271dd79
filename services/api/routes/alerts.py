"""Alerts: Alertmanager's webhook, and the notifications received through it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, ValidationError

from services.api.alert_store import Alert, AlertStore
from services.api.problems import FieldError, Problem, field_errors
from services.api.security import Provided, WithAlertToken

router = APIRouter(prefix="/alerts", tags=["alerts"])
log = structlog.get_logger(__name__)
#: Errors of one call that are named; the rest would only repeat them.
SHOWN = 20


class Notification(BaseModel):
    """Body that Alertmanager posts; https://prometheus.io/docs/alerting/latest/configuration/#webhook_config"""

    model_config = ConfigDict(extra="ignore")

    #: Read one by one: a single alert that cannot be read must not take the others with it.
    alerts: list[Any]


class Received(BaseModel):
    """``rejected`` ones could not be read; the log says why."""

    received: int
    new: int
    rejected: int


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
    """Keep every change of an alert once. A 5xx makes Alertmanager try again; 422 when no alert can be read."""
    store = AlertStore(dependencies.database)
    errors: list[FieldError] = []
    alerts = list(_readable(notification.alerts, errors))
    if errors and not alerts:
        raise Problem(422, "; ".join(f"{name}: {why}" for name, why in errors[:SHOWN]), errors=errors[:SHOWN])
    new = [alert for alert in alerts if store.add(alert)]
    for alert in new:
        log.warning("alert", name=alert.labels.get("alertname"), status=alert.status, labels=alert.labels)
    return Received(received=len(alerts), new=len(new), rejected=len(notification.alerts) - len(alerts))


def _readable(raw: list[Any], errors: list[FieldError]) -> Iterator[Alert]:
    """The alerts that can be read; what is wrong with the others goes to ``errors`` and into the log."""
    for number, each in enumerate(raw):
        try:
            yield Alert.model_validate(each)
        except ValidationError as error:
            found = field_errors(error.errors(include_url=False, include_input=False), f"alerts.{number}.")
            log.warning("an alert could not be read", alert=number, errors=found[:SHOWN])
            errors += found


@router.get("")
def list_alerts(
    dependencies: Provided,
    name: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> AlertList:
    """Notifications received from Alertmanager, of all alerts or of one, most recent first."""
    return AlertList(alerts=[AlertOut(**row) for row in AlertStore(dependencies.database).latest(limit, name)])
