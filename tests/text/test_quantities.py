"""Values in their units and their course as text."""

from datetime import timedelta

import pytest

from tradebot_ops.text.quantities import age, latest, peak, quantity, sparkline


@pytest.mark.parametrize(
    ("value", "unit", "decimals", "text"),
    [
        (None, "s", None, "–"),
        (0.0, "short", 0, "0"),
        (2.0, "short", 0, "2"),
        (0.5, "short", None, "0.5"),
        (1234.5, "short", 0, "1.23 k"),
        (-1500.0, "short", None, "-1.5 k"),
        (2.5e9, "short", None, "2.5 G"),
        (5e13, "short", None, "50,000 G"),
        (0.25, "ops", None, "0.25/s"),
        (0.0, "s", None, "0 s"),
        (0.00025, "s", None, "250 µs"),
        (0.0475, "s", None, "47.5 ms"),
        (1.5, "s", None, "1.5 s"),
        (150.0, "s", None, "2.5 min"),
        (9000.0, "s", None, "2.5 h"),
        (0.855, "percentunit", None, "85.5 %"),
        (1.0, "percentunit", None, "100 %"),
        (1023.0, "bytes", None, "1,023 B"),
        (536870912.0, "bytes", None, "512 MiB"),
        (7.0, "a unit of tomorrow", None, "7"),
    ],
)
def test_quantities(value: float | None, unit: str, decimals: int | None, text: str) -> None:
    assert quantity(value, unit, decimals) == text


def test_a_sparkline_has_gaps_peaks_and_one_width() -> None:
    assert sparkline([None, 0, 1, 2, 3, 4, 5, 6, 7], 9) == " ▁▂▃▄▅▆▇█"
    assert sparkline([0, 7, 0, 0], 2) == "█▁"
    assert sparkline([7, 7], 4, low=0) == "████"
    assert sparkline([0, 0], 2, low=0) == sparkline([0, None, 0], 2) == "▁▁"
    assert sparkline([1, None, 1], 3) == sparkline([-2, None, -2], 3) == sparkline([1, None, 1], 3, low=1) == "▄ ▄"
    assert sparkline([], 3) == sparkline([None], 3) == "   "


def test_last_and_highest() -> None:
    assert (latest([1, 3, 2, None]), peak([1, 3, 2, None])) == (2, 3)
    assert latest([]) is peak([None]) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "0 s"), (0, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "119 min"), (7200, "2 h"), (172_799, "47 h"),
     (172_800, "2 d"), (864_000, "10 d")],
)  # fmt: skip
def test_an_age_has_the_largest_unit_that_says_enough(seconds: int, text: str) -> None:
    assert age(timedelta(seconds=seconds)) == text
