from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradebot_ops import units
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.logs import since
from tradebot_ops.operations.monitoring import query
from tradebot_ops.settings import forms

LENGTHS = {"y": 365 * 86400, "w": 7 * 86400, "d": 86400, "h": 3600, "m": 60, "s": 1}
FORMS = (units.COMPOSE, units.PROMETHEUS, units.KEEPING, units.TYPED)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10s", 10),
        ("1m30s", 90),
        ("500ms", 0.5),
        ("1h", 3600),
        ("1.5s", 1.5),
        ("2h45m", 9900),
        ("0s", 0),
        ("1d", 86400),
    ],
)
def test_durations(text: str, expected: float) -> None:
    assert units.seconds(text) == pytest.approx(expected)


@pytest.mark.parametrize(("unit", "length"), [*LENGTHS.items(), ("ms", 1e-3), ("us", 1e-6), ("µs", 1e-6), ("ns", 1e-9)])
def test_each_unit_has_its_length_in_each_form_that_has_it(unit: str, length: float) -> None:
    forms_with_it = [form for form in FORMS if unit in form.units]
    assert forms_with_it
    for form in forms_with_it:
        assert units.seconds(f"3{unit}", form) == pytest.approx(3 * length)
    for form in set(FORMS) - set(forms_with_it):
        with pytest.raises(ValueError, match="no duration"):
            units.seconds(f"3{unit}", form)


@pytest.mark.parametrize("text", ["", "10", "s", "10 s", "-1s", "1s30", "ten seconds", "1S", "1w", "1y"])
def test_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match="no duration"):
        units.seconds(text)


@pytest.mark.parametrize("text", ["1.5h", "1h1d", "1h1h", "1us", "", "0"])
def test_prometheus_takes_whole_numbers_with_the_largest_unit_first(text: str) -> None:
    assert units.seconds("1w2d3ms", units.PROMETHEUS) == pytest.approx(9 * 86400 + 0.003)
    with pytest.raises(ValueError, match="no duration"):
        units.seconds(text, units.PROMETHEUS)


@given(st.dictionaries(st.sampled_from(list(LENGTHS)), st.integers(0, 9), min_size=1))
def test_whoever_reads_a_duration_reads_the_same(parts: dict[str, int]) -> None:
    text = "".join(f"{parts[unit]}{unit}" for unit in LENGTHS if unit in parts)
    expected = sum(number * LENGTHS[unit] for unit, number in parts.items())
    assert units.seconds(text, units.TYPED) == units.seconds(text, units.PROMETHEUS) == expected
    assert parts.keys() & {"w", "y"} or units.seconds(text) == expected
    now = datetime(2026, 11, 22, tzinfo=UTC)
    assert now.timestamp() - (since(text, now) or now).timestamp() == expected
    if 0 < expected <= query.LONGEST:
        assert query.seconds(text) == expected
    else:
        with pytest.raises(OpsError):
            query.seconds(text)
    if expected and not parts.keys() & {"m", "s"}:
        assert forms.keeping(text) == text
    else:
        with pytest.raises(ValueError, match="not a time to keep"):
            forms.keeping(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("512", 512),
        ("1b", 1),
        ("64k", 65536),
        ("512m", 512 * 1024**2),
        ("512MB", 512 * 1024**2),
        ("4gb", 4 * 1024**3),
        ("4GiB", 4 * 1024**3),
        ("1.5g", 3 * 1024**3 // 2),
        ("1t", 1024**4),
        ("1p", 1024**5),
    ],
)
def test_sizes(text: str, expected: int) -> None:
    assert units.size(text) == expected


@pytest.mark.parametrize("text", ["", "gb", "4 gigs", "4gib gb", "-1g", "4g4", "0x10", "1e3"])
def test_no_sizes(text: str) -> None:
    with pytest.raises(ValueError, match="not a size"):
        units.size(text)


@given(st.integers(0, 2**40), st.sampled_from(["", "b", "k", "kb", "M", "MB", "g", "Gb"]))
def test_sizes_count_in_1024s(number: int, unit: str) -> None:
    power = {"": 0, "b": 0, "k": 1, "m": 2, "g": 3}[unit.lower()[:1]]
    assert units.size(f"{number}{unit}") == number * 1024**power


@given(st.integers(0, 10**15))
def test_a_bare_number_is_bytes(number: int) -> None:
    assert units.size(str(number)) == number
