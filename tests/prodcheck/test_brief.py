"""Each line of the owner's checklist leads to checks that exist."""

import pytest

from tradebot_ops.prodcheck.brief import CHECKLIST, CRITERIA, Promise
from tradebot_ops.prodcheck.catalogue import catalogue

PROMISES = [*(promise for group in CHECKLIST.values() for promise in group), *CRITERIA]
IDS = {check.id for stage in catalogue() for check in stage.checks}
PREFIXES = {stage.prefix for stage in catalogue()}


def test_every_line_of_the_brief_is_here_once() -> None:
    assert [len(group) for group in CHECKLIST.values()] == [6, 5, 5, 5]
    assert len(CRITERIA) == 6
    assert len({promise.text for promise in PROMISES}) == 27


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.text)
def test_a_promise_is_proved_by_checks_that_exist(promise: Promise) -> None:
    """A stage that is not built yet has no check at all; the page says so."""
    assert {id_ for id_ in promise.ids if id_.partition("-")[0] in PREFIXES} <= IDS
    assert bool(promise.ids) == (not promise.text.lower().removeprefix("the ").startswith("production check"))
