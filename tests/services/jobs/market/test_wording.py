"""One thing is not several."""

import pytest

from services.jobs.market.wording import several


@pytest.mark.parametrize(("number", "text"), [(0, "0 bars"), (1, "1 bar"), (2, "2 bars"), (21, "21 bars")])
def test_a_number_of_things(number: int, text: str) -> None:
    assert several(number, "bar") == text
