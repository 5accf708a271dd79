"""Small prices keep their digits."""

import numpy as np

from services.jobs.backtesting.digits import significant


def test_digits_are_counted_from_the_first_that_is_not_zero() -> None:
    values = np.array([0.00000130, 1 / 3e7, 123456.78901234, 0.0, 0.05])
    assert significant(values) == [0.0000013, 3.333333333e-08, 123456.789, 0.0, 0.05]
