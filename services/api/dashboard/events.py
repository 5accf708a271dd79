"""Events within the window, by the dashboard's annotations: alerts, starts, deploys, scalings. Pure.

As Grafana reads them: a series is an event while its value is not zero, and steps that follow one another are one.
"""

import math
from collections.abc import Iterator, Sequence

from services.api.dashboard.definition import Annotation, filled
from services.api.dashboard.prometheus import Found, QueryFailed
from services.api.dashboard.schemas import EventOut
from services.api.dashboard.window import Window

#: The newest; a chart with more marks shows none.
MOST = 100


def events(
    annotations: Sequence[Annotation], answers: Sequence[list[Found] | QueryFailed], shown: Window
) -> list[EventOut]:
    """The newest events of all annotations, newest first."""
    found = [
        EventOut(kind=annotation.name, color=annotation.color, text=text, at=start, until=end)
        for annotation, answer in zip(annotations, answers, strict=True)
        if not isinstance(answer, QueryFailed)
        for series in answer
        for text in [filled(annotation.title, series.labels) or annotation.name]
        for start, end in _stretches(series, shown.step)
    ]
    return sorted(found, key=lambda event: (-event.at, event.kind, event.text))[:MOST]


def _stretches(series: Found, step: int) -> Iterator[tuple[int, int]]:
    start = end = None
    for at, value in series.samples:
        if not value or math.isnan(value):
            continue
        if end is None or at - end > step * 1.5:
            if start is not None and end is not None:
                yield round(start), round(end)
            start = at
        end = at
    if start is not None and end is not None:
        yield round(start), round(end)
