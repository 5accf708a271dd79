"""Schemas of the answer of ``GET /dashboard/panels``."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

Level = Literal["ok", "warning", "critical", "none"]
PanelStatus = Literal["ok", "empty", "stale", "error"]


class SeriesOut(BaseModel):
    name: str
    values: list[float | None] = Field(description="One for each of the document's `times`; null where there is none.")


class ThresholdOut(BaseModel):
    value: float | None = Field(description="From here on; null from the beginning.")
    color: str = Field(description="Grafana's name of a colour.")
    level: Level


class PanelOut(BaseModel):
    id: int
    kind: Literal["stat", "timeseries", "unknown"]
    title: str
    description: str
    unit: str = Field(description="Grafana's name: short, ops, s, bytes, percentunit.")
    decimals: int | None
    min: float | None
    max: float | None
    thresholds: list[ThresholdOut]
    threshold_lines: bool = Field(description="Draw the thresholds into the chart.")
    x: int
    y: int
    width: int = Field(description="Of 24 columns.")
    height: int
    status: PanelStatus = Field(description="stale: the last sample is old; empty: a query without values.")
    note: str = Field(description="Why the status is not ok.")
    value: float | None = Field(description="Of a stat: its last value.")
    level: Level = Field(description="Of a stat: what its threshold says about the value.")
    age_s: int | None = Field(description="Seconds since the last sample; null without one.")
    series: list[SeriesOut]
    hidden_series: int = Field(description="Series left out because there are too many to draw.")


class EventOut(BaseModel):
    """Something that happened: one of the dashboard's annotations."""

    kind: str = Field(description="The annotation's name: Alerts, Deploys, Starts, Scalings.")
    color: str = Field(description="Grafana's name of a colour.")
    text: str
    at: int = Field(description="Unix seconds.")
    until: int = Field(description="Unix seconds; `at` where it was a moment.")


class AlertOut(BaseModel):
    name: str
    severity: Literal["critical", "warning", "performance", "info"]
    summary: str
    count: int = Field(description="How many of this rule fire.")
    since: datetime
    runbook: str = Field(description="Its address; empty without one.")
    panel: int | None = Field(description="Id of the panel that shows what it is about.")


class DashboardOut(BaseModel):
    title: str
    status: Literal["ok", "partial", "unavailable"] = Field(
        description="partial: at least one panel is in error; unavailable: Prometheus did not answer any of them."
    )
    note: str
    range: str = Field(description="As it was asked for.")
    end: int | None = Field(description="Unix seconds as asked for; null: now.")
    refresh_s: int
    step_s: int
    generated_at: int = Field(description="Unix seconds.")
    times: list[int] = Field(description="Unix seconds, one for each value of every series.")
    panels: list[PanelOut] = Field(description="Without folded rows of which nothing reports anything.")
    events: list[EventOut] = Field(description="Newest first.")
    events_note: str = Field(description="Why events may be missing.")
    firing: list[AlertOut] | None = Field(description="Alerts that fire now, the gravest first; null: not known.")
    firing_note: str = Field(description="Why they are not known.")
