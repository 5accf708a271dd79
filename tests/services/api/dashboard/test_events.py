"""Annotations turned into events: where one begins and ends, what it is called, and how many are given."""

import pytest

from services.api.dashboard.definition import Annotation
from services.api.dashboard.events import MOST, events
from services.api.dashboard.prometheus import Found, QueryFailed
from services.api.dashboard.window import Window

SHOWN = Window(end=1000, step=15, points=9)
NAN = float("nan")
ALERTS = Annotation("Alerts", "ALERTS", "{{alertname}}", "red")
SCALINGS = Annotation("Scalings", "changes(x)", "", "blue")


def found(*values: float | None, **labels: str) -> Found:
    """Samples 15 s apart from 880 on; None is a moment without one."""
    return Found(labels, [(880 + 15 * place, value) for place, value in enumerate(values) if value is not None])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((1, 1, 1), [(880, 910)]),
        ((0, 2, 0), [(895, 895)]),
        ((1, None, 1), [(910, 910), (880, 880)]),
        ((1, 0, 1, 1), [(910, 925), (880, 880)]),
        ((NAN, 0), []),
        ((), []),
    ],
)
def test_steps_that_follow_one_another_are_one_event(
    values: tuple[float | None, ...], expected: list[tuple[int, int]]
) -> None:
    given = events([SCALINGS], [[found(*values)]], SHOWN)
    assert [(each.at, each.until) for each in given] == expected


def test_it_is_called_by_its_labels_or_by_its_kind() -> None:
    given = events([ALERTS, SCALINGS], [[found(0, 1, alertname="RedisDown")], [found(1)]], SHOWN)
    assert [(each.kind, each.text, each.color) for each in given] == [
        ("Alerts", "RedisDown", "red"),
        ("Scalings", "Scalings", "blue"),
    ]


def test_a_query_that_failed_costs_its_own_events_alone() -> None:
    given = events([ALERTS, SCALINGS], [QueryFailed("no"), [found(1)]], SHOWN)
    assert [each.kind for each in given] == ["Scalings"]


def test_the_newest_are_given() -> None:
    many = [Found({"alertname": str(at)}, [(at, 1.0)]) for at in range(MOST + 5)]
    given = events([ALERTS], [many], SHOWN)
    assert (len(given), given[0].at) == (MOST, MOST + 4)
