"""The wait for the next attempt grows, has an end, and is another for each job."""

import pytest

from services.common.backoff import Backoff

BACKOFF = Backoff(first_s=2, most_s=60)


@pytest.mark.parametrize(("failures", "ceiling"), [(1, 2), (2, 4), (3, 8), (5, 32), (6, 60), (7, 60), (10_000, 60)])
def test_the_ceiling_doubles_up_to_the_most(failures: int, ceiling: float) -> None:
    assert BACKOFF.ceiling_s(failures) == ceiling
    assert BACKOFF.wait_s(failures, lambda low, high: low) == 0
    assert BACKOFF.wait_s(failures, lambda low, high: high) == ceiling


def test_without_jitter_the_wait_is_known_beforehand() -> None:
    assert [Backoff(1, 60, jitter=False).wait_s(failures) for failures in (1, 2, 3)] == [1, 2, 4]


def test_jobs_that_failed_together_do_not_come_back_together() -> None:
    waits = [BACKOFF.wait_s(5) for _ in range(200)]
    assert len({round(wait) for wait in waits}) > 10
    assert all(0 <= wait <= 32 for wait in waits)
