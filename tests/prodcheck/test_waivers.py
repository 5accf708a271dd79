"""Waivers: all four keys, at most 180 days, and what waives nothing is reported."""

import datetime as dt
from typing import Any

import pytest

from tradebot_ops.prodcheck.waivers import read, unused

TODAY = dt.date(2026, 11, 26)
GOOD = {"id": "ENG-03", "reason": "small machine", "owner": "maria", "expires": dt.date(2026, 12, 31)}
KNOWN = {"ENG-03", "CFG-01"}


def test_a_complete_entry_waives() -> None:
    found = read([GOOD, GOOD | {"id": "cfg-01", "expires": "2026-11-26"}], KNOWN, TODAY)
    assert set(found.active) == KNOWN
    assert found.problems == ()
    assert found.active["ENG-03"].days_left(TODAY) == 35


@pytest.mark.parametrize(
    ("entries", "problem"),
    [
        ([GOOD | {"reason": ""}], "it has no reason"),
        ([{"id": "ENG-03"}], "it has no reason, owner, expires"),
        ([GOOD | {"expires": "soon"}], "expires = 'soon' is not a day such as 2026-12-31"),
        ([GOOD | {"expires": dt.date(2026, 11, 25)}], "that for ENG-03 expired on 2026-11-25"),
        ([GOOD | {"expires": dt.datetime(2026, 11, 25, tzinfo=dt.UTC)}], "that for ENG-03 expired on 2026-11-25"),
        ([GOOD | {"expires": dt.date(2027, 5, 26)}], "that for ENG-03 lasts 181 days, and 180 are the most"),
        ([GOOD | {"id": "ENG-99"}], "there is no check ENG-99"),
        ([GOOD, GOOD], "ENG-03 is waived already"),
        (["ENG-03"], "it is not a table"),
        ("ENG-03", "`waiver` in tradebot.toml is not a list: write [[waiver]]"),
        ({"id": "ENG-03"}, "`waiver` in tradebot.toml is not a list: write [[waiver]]"),
    ],
)
def test_an_entry_that_waives_nothing_says_why(entries: Any, problem: str) -> None:
    found = read(entries, KNOWN, TODAY)
    assert len(found.problems) == 1
    assert problem in found.problems[0]
    assert len(found.active) == (1 if entries == [GOOD, GOOD] else 0)


def test_a_waiver_that_nothing_needs_is_reported_if_its_check_was_judged() -> None:
    found = read([GOOD], KNOWN, TODAY)
    assert unused(found, failing=set(), judged={"ENG-03"}) == (
        "The waiver for ENG-03 (maria) is not needed any more: remove it from tradebot.toml.",
    )
    assert unused(found, failing={"ENG-03"}, judged={"ENG-03"}) == ()
    assert unused(found, failing=set(), judged=set()) == ()
