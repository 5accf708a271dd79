"""A curve drawn with characters."""

import math
from datetime import datetime

import pytest

from tradebot_ops.text.chart import chart

NOON = datetime(2026, 11, 22, 12).timestamp()  # noqa: DTZ001 - the axis shows the time of the reader
HOUR = [(NOON + 60 * minute, float(minute)) for minute in range(61)]


def test_a_curve_has_a_scale_and_the_readers_time() -> None:
    lines = chart(HOUR)
    assert len(lines) == 14
    assert max(map(len, lines)) <= 72
    assert [line.split("┤")[0].strip() for line in lines if "┤" in line] == ["60", "30", "0"]
    assert lines[-1].split() == ["12:00", "12:20", "12:40", "13:00"]


@pytest.mark.parametrize(
    ("seconds", "tick"),
    [(599, "12:00:00"), (600, "12:00"), (86_400, "12:00"), (2 * 86_400, "12:00"), (200 * 86_400, "2026-11-22")],
)
def test_a_longer_time_has_coarser_ticks(seconds: float, tick: str) -> None:
    lines = chart([(NOON, 1.0), (NOON + seconds, 2.0)])
    assert tick in lines[-1].split()
    assert len(lines[-1]) <= 72


def test_it_rises_from_the_left_below_to_the_right_above() -> None:
    drawn = [line.partition("┤")[2] or line.partition("│")[2] for line in chart(HOUR)[:-2]]
    starts = [len(line) - len(line.lstrip()) for line in drawn if line.strip()]
    assert starts == sorted(starts, reverse=True)
    assert len(starts) == len(drawn)


def test_nothing_but_characters(capsys: pytest.CaptureFixture[str]) -> None:
    assert "\x1b" not in "".join(chart(HOUR))
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("values", [[0.0], [0.0, 0.0], [5.0], [-3.0, -3.0], [1e200, -1e200], [math.nan, 1.0]])
def test_any_values_can_be_drawn(values: list[float]) -> None:
    assert len(chart([(NOON + place, value) for place, value in enumerate(values)])) == 14


def test_a_missing_value_is_a_gap() -> None:
    holed = [(at, math.nan if 20 <= minute < 40 else 60.0) for minute, (at, _) in enumerate(HOUR)]
    (top,) = (line for line in chart(holed) if line.strip().startswith("60┤"))
    assert "⠉ " in top
    assert " ⠉" in top.replace("┤", " ") or " ⠈" in top


@pytest.mark.parametrize("points", [[], [(NOON, math.nan)], [(NOON, math.inf)]])
def test_without_a_value_it_says_so(points: list[tuple[float, float]]) -> None:
    assert chart(points) == ["(no values)"]
