"""Ids by their beginnings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradebot_ops.errors import ExitCode, OpsError
from tradebot_ops.text.beginnings import SHORT, short, whole

KNOWN = ("abc-1", "abc-2", "abc-22", "bcd-3")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("b", "bcd-3"), ("abc-1", "abc-1"), ("abc-2", "abc-2"), ("nothing", "nothing"), ("", ""), ("bcd-34", "bcd-34")],
)
def test_a_beginning_that_only_one_has_is_enough(typed: str, expected: str) -> None:
    assert whole(typed, KNOWN, "silences", "") == expected


def test_an_ambiguous_one_is_refused_with_its_candidates() -> None:
    with pytest.raises(OpsError, match="Several silences begin with abc: abc-1, abc-2, abc-22") as raised:
        whole("abc", KNOWN, "silences", "tradebot alerts list")
    assert raised.value.exit_code == ExitCode.USAGE


@given(st.lists(st.text("ab", min_size=9, max_size=12), unique=True))
def test_short_ids_tell_apart(ids: list[str]) -> None:
    found = short(ids)
    assert len(set(found.values())) == len(ids)
    assert all(each.startswith(found[each]) and len(found[each]) >= SHORT for each in ids)


def test_a_beginning_is_as_long_as_these_need_to_differ() -> None:
    assert short(["aaaaaaaa-1", "bbbbbbbb-2"]) == {"aaaaaaaa-1": "aaaaaaaa", "bbbbbbbb-2": "bbbbbbbb"}
    assert short(["aaaaaaaa-1", "aaaaaaaa-2"]) == {"aaaaaaaa-1": "aaaaaaaa-1", "aaaaaaaa-2": "aaaaaaaa-2"}
    assert short(["aaaaaaaa12", "aaaaaaaa32"]) == {"aaaaaaaa12": "aaaaaaaa1", "aaaaaaaa32": "aaaaaaaa3"}
    assert short(["same", "same"]) == {"same": "same"}
    assert short([]) == {}
