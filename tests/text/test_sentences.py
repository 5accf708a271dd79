"""One full stop, whatever the words of another program end with; and one thing is no several."""

import pytest

from tradebot_ops.text.sentences import agreed, ended, shortened


@pytest.mark.parametrize(
    ("text", "expected"),
    [("disk on fire", "disk on fire."), ("It burns.\n", "It burns."), ("Who are you?", "Who are you?"), ("a)", "a).")],
)
def test_it_ends_once(text: str, expected: str) -> None:
    assert ended(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a  b\nc", "a b c"), ("12345678", "12345678"), ("123456789", "1234567…"), ("", "")],
)
def test_what_is_left_out_has_a_sign(text: str, expected: str) -> None:
    assert shortened(text, 8) == expected
    assert ended(shortened("123456789", 8)) == "1234567…"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 jobs were given up, 1 of them within an hour.", "1 job was given up, 1 of them within an hour."),
        ("1 jobs of load_candles were cancelled.", "1 job of load_candles was cancelled."),
        ("11 jobs wait.", "11 jobs wait."),
        ("11 jobs of sweep wait.", "11 jobs of sweep wait."),
        ("1 images have a version and no digest.", "1 image has a version and no digest."),
        ("1 of 10 replicas hold rights.", "1 of 10 replicas hold rights."),
        ("worker died 1 times within an hour.", "worker died 1 time within an hour."),
        (
            "Counted under 1 addresses; 0.1 jobs; 5,1 jobs; 1 series.",
            "Counted under 1 address; 0.1 jobs; 5,1 jobs; 1 series.",
        ),
        ("worker 1 keeps its job.", "worker 1 keeps its job."),
        ("worker 1 restarts, with 1 restarts.", "worker 1 restarts, with 1 restart."),
        ("Worker 1 answers; of 1 answers none (1 requests).", "Worker 1 answers; of 1 answer none (1 request)."),
        (
            "redis-1 runs and does not answer; worker-1 times out.",
            "redis-1 runs and does not answer; worker-1 times out.",
        ),
        ("1 older ones, 1 daily candles of A, 1 failed copies.", "1 older one, 1 daily candle of A, 1 failed copy."),
        ("1 default logins work, 1 loud jobs work.", "1 default login works, 1 loud jobs work."),
        ("1 rows of 1 tables; 21 days; 1 entries.", "1 row of 1 table; 21 days; 1 entry."),
    ],
)
def test_one_is_not_several(text: str, expected: str) -> None:
    assert agreed(text) == expected
