"""The age of images, at every level."""

from datetime import UTC, datetime, timedelta

import pytest

from tradebot_ops.engines.base import ImageDates
from tradebot_ops.facts.fact import Skip
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.stages.security.images import young

NOW = datetime(2026, 11, 26, tzinfo=UTC)
NEW, OLD = NOW - timedelta(days=3), NOW - timedelta(days=91)


@pytest.mark.parametrize(
    ("built", "base", "level", "message"),
    [
        (NEW, NEW, Level.PASS, "young"),
        (NEW, None, Level.PASS, "young"),
        (OLD, OLD, Level.WARN, "2 images or bases are old"),
        (NEW, OLD, Level.WARN, "1 image or bases are old"),
        (None, None, Level.WARN, "No image says"),
        (None, NEW, Level.WARN, "1 image does not say"),
    ],
)
def test_age(built: datetime | None, base: datetime | None, level: Level, message: str) -> None:
    verdict = young((ImageDates("app:1", built, base),), NOW)
    assert verdict.level is level
    assert message in verdict.message


def test_without_an_image_there_is_nothing_to_judge() -> None:
    assert young((), NOW).skip is Skip.PREREQUISITE
