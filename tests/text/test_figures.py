"""Figures as cells of a table."""

from typing import Any

import pytest

from tradebot_ops.text.figures import shown


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0000013, "0.000001300"), (-0.05, "-0.05000"), (0.51234, "0.5123"), (0.0, "0.0000"),
        (1234.56789, "1234.5679"), (float("inf"), "inf"), (None, ""), (3, "3"), ("AAPL", "AAPL"),
        ({"fast": 5, "z": 1.5}, "fast=5 z=1.5000"),
    ],
)  # fmt: skip
def test_a_small_price_keeps_its_digits(value: Any, expected: str) -> None:
    assert shown(value) == expected
