"""Counting errors while Postgres is away: nothing waits, nothing is lost, memory stays bounded."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from services.api.error_tracker import KEPT_KINDS, ErrorTracker
from services.common.database import Database
from services.common.logging import REDACTED, Redactor
from services.common.settings import Settings


def tracker(*secrets: str) -> ErrorTracker:
    nowhere = Settings(database_url="postgresql://nobody@127.0.0.1:1/none")
    return ErrorTracker(Database(nowhere, "test", timeout_s=0.1), Redactor(secrets))


def fail(error: Exception) -> None:
    raise error


def raised(error: Exception) -> Exception:
    try:
        fail(error)
    except Exception as caught:  # noqa: BLE001
        return caught
    raise AssertionError("not reached")


def test_one_kind_is_counted_together() -> None:
    errors = tracker()
    marks = {errors.record(raised(ValueError(text))) for text in ("first", "second")}
    assert len(marks) == 1
    (count,) = errors.latest(10)
    assert (count.count, count.type, count.message) == (2, "ValueError", "second")
    assert count.first_seen <= count.last_seen
    assert "raise error" in count.traceback


def test_a_failed_store_keeps_the_counts_for_the_next() -> None:
    errors = tracker()
    errors.record(raised(ValueError("x")))
    errors.store()
    errors.record(raised(ValueError("x")))
    errors.store()
    assert [count.count for count in errors._unstored.values()] == [2]


def test_secrets_and_what_postgres_refuses_are_taken_out() -> None:
    errors = tracker("open-sesame")
    errors.record(raised(ValueError("open-sesame \x00 \ud800")))
    (count,) = errors.latest(1)
    assert count.message == f"{REDACTED} \\x00 \\ud800"
    assert "open-sesame" not in count.traceback


def test_the_oldest_kind_makes_room() -> None:
    errors = tracker()
    for number in range(KEPT_KINDS + 5):
        errors.record(type(f"Error{number}", (Exception,), {})())
    assert len(errors._seen) == len(errors._unstored) == KEPT_KINDS
    assert "Error0" not in {count.type for count in errors._seen.values()}


def test_each_kind_keeps_its_first_moment_and_those_seen_last_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    errors, moments = tracker(), iter(datetime(2026, 11, 28, 12, minute, tzinfo=UTC) for minute in range(60))
    monkeypatch.setattr("services.api.error_tracker.datetime", SimpleNamespace(now=lambda _zone: next(moments)))
    for error in (ValueError("a"), KeyError("b"), TypeError("c"), ValueError("d")):
        errors.record(raised(error))
    found = errors.latest(10)
    assert [(each.type, each.first_seen.minute, each.last_seen.minute) for each in found] == [
        ("ValueError", 0, 3), ("TypeError", 2, 2), ("KeyError", 1, 1),
    ]  # fmt: skip
    assert [each.type for each in errors.latest(2)] == ["ValueError", "TypeError"]
    assert KEPT_KINDS >= 100, "a few that come often would push out those that come seldom"
