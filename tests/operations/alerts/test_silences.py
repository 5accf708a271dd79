"""Which alerts a silence is meant for."""

import pytest

from tradebot_ops.operations.alerts.silences import fits, matcher

NAMES = {"RedisDown", "HighCPUUsage"}


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("RedisDown", True),
        ("alertname=RedisDown", True),
        ("redisdown", False),
        ("Redis", False),
        ('alertname=~"Redis.*|Nothing"', True),
        ("alertname=~Redis", False),
        ("alertname=~(?i:redisdown)", True),
        ("alertname=~[[:digit:]]+", True),
        (r"alertname=~\pN+", True),
    ],
)
def test_fits(word: str, expected: bool) -> None:
    assert fits(matcher(word), NAMES) is expected
