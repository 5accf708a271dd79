"""Fields, level and time of lines as many programs write them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradebot_ops.text import log_line

AT = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"level": "warn"}', "warning"),
        ('{"level": "WARNING"}', "warning"),
        ('{"level": "err"}', "error"),
        ('{"severity": "ERROR"}', "error"),
        ('{"level": 50, "msg": "pino"}', "error"),
        ('{"level": 60}', "critical"),
        ('{"level": "fatal"}', "critical"),
        ('{"lvl": "dbug"}', ""),
        ('{"level": null}', ""),
        ("ts=2026-01-02T03:04:05.678Z caller=main.go:1 level=warn msg=x", "warning"),
        ('time=2026-01-02T03:04:05.678Z level=ERROR source=main.go:1 msg="it broke"', "error"),
        ("2026-01-02 03:04:05.678 UTC [12] LOG:  ready", "info"),
        ("2026-01-02 03:04:05.678 UTC [12] FATAL:  no", "critical"),
        ("INFO:     Started server process [1]", "info"),
        ("[2026-01-02 03:04:05] [ERROR] it broke", "error"),
        ("12:M 02 Jan 2026 04:04:05.678 # Warning", "warning"),
        ("12:M 02 Jan 2026 04:04:05.678 * Ready", "info"),
        ('  File "x.py", line 3, in ERRORS', ""),
        ("no error here", ""),
        ("", ""),
    ],
)
def test_level(text: str, expected: str) -> None:
    assert log_line.level(text, log_line.fields(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1}', {"a": 1}),
        ('  {"a": 1}', {"a": 1}),
        ('level=info msg="a \\"b\\" c" n=3 empty=', {"level": "info", "msg": 'a "b" c', "n": "3", "empty": ""}),
        ('ts=1 level=info msg="open', None),
        ("we set msg=x here", None),
        ("a=b c=d", None),
        ("level=info", None),
        ("[1]", None),
        ("{broken", None),
        ("", None),
        ('{"a": ' * 99_999, None),
    ],
)
def test_fields(text: str, expected: dict[str, object] | None) -> None:
    assert log_line.fields(text) == expected


@pytest.mark.parametrize("factor", [1, 1000, 10**6, 10**9])
def test_a_number_is_a_time_in_any_unit(factor: int) -> None:
    assert log_line.time("", {"time": round(1767323045.678 * factor, 3)}) == AT


NO_TIMES = [0.012, 0, -5, 1970, 123456789, 5 * 10**10, float("nan"), float("inf"), True, "12", None]


@pytest.mark.parametrize("value", NO_TIMES)
def test_what_counts_something_else_is_no_time(value: object) -> None:
    assert log_line.time("", {"time": value}) is None


def test_a_duration_does_not_hide_the_time_behind_it() -> None:
    assert log_line.time("", {"time": 0.012, "at": "2026-01-02T03:04:05.678Z"}) == AT


@given(st.text())
def test_any_line_is_read(text: str) -> None:
    found = log_line.fields(text)
    assert log_line.level(text, found) in {"", *log_line.LEVELS}
    log_line.time(text, found)
    log_line.quick_time(text)
