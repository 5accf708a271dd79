"""A year of bars is counted as the market is open."""

import numpy as np
import pytest

from services.jobs.backtesting.periods import calendar, periods_per_year
from tests.services.jobs.fakes import FileContext

HOUR = 3600
START = np.datetime64("2023-01-02", "s")


def every(seconds: int, count: int) -> np.ndarray:
    return START + np.arange(count) * np.timedelta64(seconds, "s")


def sessions(seconds: int, days: int) -> np.ndarray:
    """Bars of 13:30 to 20:00 UTC on weekdays."""
    times = every(seconds, days * 86_400 // seconds)
    since = times.astype("int64")
    of_day, weekday = since % 86_400, (since // 86_400 + 3) % 7
    return times[(weekday < 5) & (of_day >= 13.5 * HOUR) & (of_day < 20 * HOUR)]


def weekdays(days: int) -> np.ndarray:
    times = every(86_400, days)
    return times[np.is_busday(times.astype("datetime64[D]"))]


@pytest.mark.parametrize(
    ("times", "count"),
    [
        (weekdays(400), 252),
        (every(86_400, 400), 365),
        (every(86_400, 4), 252),  # a Monday to a Thursday
        (every(7 * 86_400, 100), 52),
        (np.arange("2020-01", "2023-01", dtype="datetime64[M]").astype("datetime64[s]"), 12),
        (np.arange("1980", "2020", dtype="datetime64[Y]").astype("datetime64[s]"), 1),
        (every(HOUR, 24 * 60), 365 * 24),
        (every(60, 1440 * 30), 365 * 1440),
        (sessions(60, 60), 252 * 390),
        (sessions(1800, 60), 252 * 13),
        (every(HOUR, 1), 252),
    ],
)
def test_periods_of_a_year(times: np.ndarray, count: int) -> None:
    assert periods_per_year(times) == count


def test_a_stray_sunday_does_not_make_a_market_that_is_always_open() -> None:
    days = np.sort(np.concatenate([weekdays(400), every(86_400, 14)[[6, 13]]]))
    assert periods_per_year(days) == 252


def test_the_sample_has_252() -> None:
    assert periods_per_year(FileContext().candles("AAPL").day) == 252


def test_years_are_those_of_the_calendar() -> None:
    found = calendar(every(86_400, 1000), every(86_400, 1000)[:732])
    assert found.periods_per_year == 365
    assert found.years == pytest.approx(731 / 365.25)
