"""A dashboard document as the API gives it, written by hand: a panel in each state."""

from typing import Any

#: Sunday, 2026-11-22, 12:00 UTC.
NOON = 1795348800
TIMES = [NOON - 15 * number for number in range(24)][::-1]


def panel(number: int, kind: str, title: str, **changes: Any) -> dict[str, Any]:
    given = {
        "id": number,
        "kind": kind,
        "title": title,
        "description": "",
        "unit": "short",
        "decimals": 0 if kind == "stat" else None,
        "min": 0,
        "max": None,
        "thresholds": [],
        "threshold_lines": False,
        "x": 0,
        "y": number,
        "width": 12,
        "height": 8,
        "status": "ok",
        "note": "",
        "value": None,
        "level": "none",
        "age_s": 0,
        "series": [],
        "hidden_series": 0,
    }
    return {**given, **changes}


def series(name: str, *values: float | None) -> dict[str, Any]:
    """The values are the last ones; before them there was nothing."""
    return {"name": name, "values": [None] * (len(TIMES) - len(values)) + list(values)}


def event(at: int, kind: str, text: str, color: str = "blue", lasted: int = 0) -> dict[str, Any]:
    """So many seconds before noon."""
    return {"kind": kind, "color": color, "text": text, "at": NOON + at, "until": NOON + at + lasted}


def alert(name: str, severity: str, **changes: Any) -> dict[str, Any]:
    given = {"name": name, "severity": severity, "summary": "", "count": 1, "since": "2026-11-22T11:57:00Z",
             "runbook": "https://docs.example.org/x.md", "panel": None}  # fmt: skip
    return given | changes


def document(**changes: Any) -> dict[str, Any]:
    """Four stats and four charts: fine, many lines, zeros, nothing to measure, old, failed; alerts fire."""
    red = [{"value": None, "color": "green", "level": "ok"}, {"value": 0.85, "color": "red", "level": "critical"}]
    steady = [2.0] * 12
    many = [series(f"type_{number} succeeded", *(number * 0.1 + 0.01 * at for at in range(12))) for number in range(10)]
    panels = [
        panel(1, "stat", "Active Workers", value=2.0, level="ok", series=[series("w", *steady)]),
        panel(2, "stat", "Pending Jobs", value=120.0, level="critical", series=[series("p", *range(0, 121, 10))]),
        panel(3, "stat", "Dead Letter Queue", status="error", note="parse error: unexpected end", age_s=None),
        panel(4, "stat", "Jobs/Hour", status="stale", note="The last sample is 5 min old.", value=1234.5,
              series=[series("j", 1234.5, *[None] * 9)], age_s=300),
        panel(5, "timeseries", "Job Processing Rate", unit="ops", series=many, hidden_series=3),
        panel(6, "timeseries", "Job Duration", unit="s", status="empty", note="Nothing to measure in this range.",
              series=[series("backtest p95")]),
        panel(7, "timeseries", "System CPU Usage", unit="percentunit", max=1, thresholds=red, threshold_lines=True,
              series=[series("host", *(0.05 * number for number in range(20))),
                      series("idle-1", 0.0, 0.0), series("idle-2", 0.0, 0.0)]),
        panel(8, "timeseries", "Redis Memory", unit="bytes", status="error", note="query B: it took too long",
              series=[series("used", 1048576.0, None, 3145728.0)]),
    ]  # fmt: skip
    given = {
        "title": "Trading Bot",
        "status": "partial",
        "note": "2 of 8 panels failed.",
        "range": "15m",
        "refresh_s": 15,
        "step_s": 15,
        "generated_at": NOON,
        "times": TIMES,
        "panels": panels,
        "end": None,
        "events": [event(-200, "Alerts", "RedisDown", "red", lasted=200), event(-290, "Scalings", "workers scaled")],
        "events_note": "",
        "firing": [
            alert("RedisDown", "critical", summary="Redis does not answer.", panel=8),
            alert("HighAPILatency", "warning", count=2),
        ],
        "firing_note": "",
    }
    return {**given, **changes}
