"""Alerts: Alertmanager's webhook, the notifications received through it, and their acknowledgements."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.api.alerts.quality import AlertQuality
from services.api.alerts.store import Alert, AlertStore, Text
from services.api.problems import FieldError, Problem, field_errors
from services.api.schemas import STORABLE
from services.api.security import Provided, Requester, WithAlertToken

router = APIRouter(prefix="/alerts", tags=["alerts"])
log = structlog.get_logger(__name__)
#: Errors of one call that are named; the rest would only repeat them.
SHOWN = 20
MONTH_S = 30 * 86_400.0


_EXAMPLE = {
    "status": "firing",
    "labels": {"alertname": "WorkerInstanceDown", "severity": "warning"},
    "annotations": {"summary": "Worker worker-2 is down"},
    "startsAt": "2026-11-27T11:00:00Z",
    "fingerprint": "5f1c2a7e9b3d4c6f",
}


class Notification(BaseModel):
    """Body that Alertmanager posts; https://prometheus.io/docs/alerting/latest/configuration/#webhook_config"""

    model_config = ConfigDict(extra="ignore")

    #: Read one by one: a single alert that cannot be read must not take the others with it.
    alerts: Annotated[list[Any], Field(examples=[[_EXAMPLE]])]


class Received(BaseModel):
    """``rejected`` ones could not be read; the log says why."""

    received: int
    new: int
    rejected: int


class Acknowledgement(BaseModel):
    """The word of a person on one firing, which is an alert from one start."""

    at: datetime
    by: str
    reason: str
    false_positive: bool = Field(description="There was nothing to act on.")


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
    acknowledged: Acknowledgement | None


class AlertList(BaseModel):
    alerts: list[AlertOut]


class AckRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=200, pattern=STORABLE, examples=["HighAPILatency"])]
    labels: Annotated[dict[Text, Text], Field(description="Only where it has these.")] = {}
    reason: Annotated[str, Field(max_length=500, examples=["the exchange was closed"])] = ""
    false_positive: bool = False
    since_s: Annotated[
        float | None,
        Field(gt=0, le=10**9, description="Also firings that began within so many seconds and are not acknowledged."),
    ] = None


class FiringOut(Acknowledgement):
    name: str
    severity: str
    fingerprint: str
    labels: dict[str, str]
    starts_at: datetime
    ended_at: datetime | None


class FiringList(BaseModel):
    acknowledged: list[FiringOut]


class AlertStats(BaseModel):
    name: str
    severity: str
    fired: int
    lasting: int = Field(description="Whose end was not heard of.")
    acknowledged: int
    false_positives: int = Field(description="Of those acknowledged.")
    received_median_s: float | None = Field(description="From when its rule fired until it was stored here.")
    ended_median_s: float | None = Field(description="From when its rule fired until its end.")
    last_at: datetime


class AlertStatsList(BaseModel):
    alerts: list[AlertStats]


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
    name: Annotated[str | None, Query(max_length=200, pattern=STORABLE)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> AlertList:
    """Notifications received from Alertmanager, of all alerts or of one, most recent first."""
    return AlertList(alerts=[AlertOut(**row) for row in AlertStore(dependencies.database).latest(limit, name)])


@router.post("/ack")
def acknowledge(request: AckRequest, dependencies: Provided, by: Requester) -> FiringList:
    """Keep who looked at what fires under this name now, or fired last. 404 when nothing is stored under it.

    It says nothing of the next firing.
    """
    found = AlertQuality(dependencies.database).acknowledge(**request.model_dump(), by=by)
    if not found:
        raise Problem(404, f"No alert {request.name} with these labels is stored.")
    log.info("alert acknowledged", by=by, firings=len(found), **request.model_dump())
    return FiringList(acknowledged=[FiringOut(**row) for row in found])


@router.get("/stats")
def stats(
    dependencies: Provided,
    name: Annotated[str | None, Query(max_length=200, pattern=STORABLE)] = None,
    since_s: Annotated[float, Query(gt=0, le=10**9, description="Firings that began so lately.")] = MONTH_S,
) -> AlertStatsList:
    """How often each alert fired, was acknowledged and was false, and how long it took to arrive and to end."""
    found = AlertQuality(dependencies.database).stats(since_s, name)
    return AlertStatsList(alerts=[AlertStats(**row) for row in found])
