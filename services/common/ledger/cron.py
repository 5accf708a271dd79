"""Times of a cron expression: five fields, or six with seconds in front, in a time zone."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError


class BadCron(ValueError):  # noqa: N818 - reads as what it is
    """The expression or the time zone cannot be understood, or there is no such time."""


def times_after(expression: str, zone: str, after: datetime) -> Iterator[datetime]:
    """Every time after ``after`` that fits, in UTC, oldest first; it ends where none follows within fifty years.

    A time that a change of the clocks leaves out is taken right after it; one that comes twice is taken once. Raises
    ``BadCron``.
    """
    for time in _simulated(expression, zone, after):
        yield time.astimezone(UTC)


def first_after(expression: str, zone: str, after: datetime) -> datetime | None:
    """The first time after ``after``; None when there is none. Raises ``BadCron``."""
    return next(times_after(expression, zone, after), None)


def last_before(expression: str, zone: str, before: datetime) -> datetime | None:
    """The newest time before ``before``; None when there was none. Raises ``BadCron``."""
    found = next(_simulated(expression, zone, before, reverse=True), None)
    return found.astimezone(UTC) if found else None


def _simulated(expression: str, zone: str, start: datetime, *, reverse: bool = False) -> CronSim:
    try:
        return CronSim(expression, start.astimezone(_zone(zone)), reverse=reverse)
    except CronSimError as error:
        raise BadCron(f"{expression!r} is not a cron expression: {str(error).lower()}") from error


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:
        raise BadCron(f"{name!r} is not a time zone, such as Europe/Zurich or UTC") from error
