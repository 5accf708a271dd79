import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradebot_ops import units


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


@pytest.mark.parametrize("text", ["", "10", "s", "10 s", "-1s", "1s30", "ten seconds", "1S"])
def test_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match="no duration"):
        units.seconds(text)


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
