"""What the API forgets and when it goes on at once. That Postgres forgets it: tests/integration/services."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock, call

import psycopg
import pytest
from structlog.testing import capture_logs

from services.api import housekeeping
from services.api.housekeeping import notify, prune
from services.common.database import DatabaseUnavailable
from services.common.ledger import State
from services.common.ledger.history import BATCH

DAY_S = 86_400


@pytest.fixture
def mock(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """All that keeps something; nothing is old."""
    made = Mock()
    monkeypatch.setattr(housekeeping, "AlertStore", made.AlertStore)
    monkeypatch.setattr(housekeeping, "AlertQuality", made.AlertQuality)
    made.AlertStore.return_value.prune.return_value = 0
    made.history.prune.return_value = 0
    return made


def house(mock: Mock, *, alert_days: int = 90, job_days: int = 0) -> Any:
    settings = SimpleNamespace(alert_history_days=alert_days, job_retention_days=job_days)
    return SimpleNamespace(
        settings=settings, database=mock.database, calls=mock.calls, history=mock.history, notifier=mock.notifier
    )


def test_jobs_are_kept_for_ever_unless_somebody_says_for_how_long(mock: Mock) -> None:
    assert not prune(house(mock))
    assert mock.history.prune.mock_calls == []
    assert mock.AlertStore.return_value.prune.mock_calls == [call(90)]
    assert mock.AlertQuality.return_value.prune.mock_calls == [call()]
    assert mock.calls.prune.mock_calls == [call()]


def test_what_ended_well_so_many_days_ago_is_forgotten_and_dead_jobs_wait_for_an_operator(mock: Mock) -> None:
    prune(house(mock, alert_days=5, job_days=30))
    assert mock.history.prune.mock_calls == [call(30 * DAY_S, (State.SUCCEEDED, State.CANCELLED))]
    assert mock.AlertStore.return_value.prune.mock_calls == [call(5)]


@pytest.mark.parametrize(("removed", "more"), [(0, False), (BATCH - 1, False), (BATCH, True)])
def test_a_whole_batch_means_that_there_is_more(mock: Mock, removed: int, more: bool) -> None:
    mock.history.prune.return_value = removed
    assert prune(house(mock, job_days=1)) is more


@pytest.mark.parametrize("error", [DatabaseUnavailable("away"), psycopg.Error("away")])
def test_what_cannot_be_forgotten_now_is_forgotten_later_and_ends_nothing(mock: Mock, error: Exception) -> None:
    mock.history.prune.side_effect = mock.notifier.notify.side_effect = error
    with capture_logs() as logs:
        assert prune(house(mock, job_days=1)) is False
        notify(house(mock))
    assert [(each["event"], each["log_level"]) for each in logs] == [
        ("old alerts and jobs stay for now", "warning"),
        ("news of jobs waits", "debug"),
    ]


def test_a_fault_of_ours_is_not_hidden(mock: Mock) -> None:
    mock.history.prune.side_effect = mock.notifier.notify.side_effect = TypeError
    for work in (lambda: prune(house(mock, job_days=1)), lambda: notify(house(mock))):
        with pytest.raises(TypeError):
            work()


async def at_once(work: Callable[..., Any], *words: Any) -> Any:
    return work(*words)


class End(BaseException):
    """Ends the work that has no end."""


def test_old_things_are_looked_for_at_once_then_each_hour_and_again_while_there_are_more(
    mock: Mock, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, found, looked = [1000.0], [True, True, False], []

    async def sleep(seconds: float) -> None:
        now[0] += seconds
        if now[0] > 1000 + 2 * 3600 + 60:
            raise End

    def look(_dependencies: object) -> bool:
        looked.append(now[0] - 1000)
        return found.pop(0) if found else False

    monkeypatch.setattr("services.api.housekeeping.asyncio.sleep", sleep)
    monkeypatch.setattr(housekeeping, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(housekeeping, "prune", look)
    # No thread: thousands of turns are made.
    monkeypatch.setattr("services.api.housekeeping.asyncio.to_thread", at_once)
    errors = Mock()
    world = SimpleNamespace(errors=errors, notifier=mock.notifier)
    with pytest.raises(End):
        asyncio.run(housekeeping.housekeeping(world))  # type: ignore[arg-type]
    assert looked == [2, 4, 6, pytest.approx(3608, abs=2), pytest.approx(7210, abs=4)]
    assert errors.store.call_count == mock.notifier.notify.call_count > 3600
