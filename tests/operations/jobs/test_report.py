"""Jobs for people."""

from datetime import UTC, datetime
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.seen import whole
from tradebot_ops.model import Report
from tradebot_ops.operations.jobs.report import followed, in_full, listed

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
JOB: dict[str, Any] = {
    "id": "7d0c0000-0000-0000-0000-000000000001",
    "type": "backtest",
    "state": "succeeded",
    "attempt": 1,
    "max_attempts": 3,
    "progress": 1.0,
    "payload": {"symbol": "AAPL", "end": None},
    "worker": "worker-1",
    "error": None,
    "result": {"metrics": {"sharpe": 0.51234}, "trades": [{"n": n} for n in range(12)], "equity": [1.0, 2.0]},
    "submitted_at": "2026-11-22T11:59:30+00:00",
    "started_at": "2026-11-22T11:59:31+00:00",
    "finished_at": "2026-11-22T11:59:33.500000+00:00",
    "peak_memory_bytes": 107630592,
    "events": [{"at": "2026-11-22T11:59:31+00:00", "state": "running", "by": "worker-1", "note": "attempt 1 of 3"}],
}
ERROR = {"type": "Timeout", "message": "over 60 s", "fingerprint": "4eb6", "traceback": "Traceback:\n  File x"}
DEAD = JOB | {"state": "dead", "result": None, "error": ERROR}


def text(report: Report) -> str:
    """All that people read of it."""
    words: list[str] = []
    for section in report.sections:
        words += [section.title, *section.lines]
        words += ["  ".join(row) for table in section.tables for row in (table.columns, *table.rows)]
    return "\n".join(words)


def test_a_result_becomes_small_tables() -> None:
    report = followed(JOB)
    tables = {table.title: table for section in report.sections for table in section.tables}
    assert ("sharpe", "0.5123") in tables[""].rows
    assert len(tables["trades (first 10 of 12)"].rows) == 10
    assert report.ok


def test_a_dead_job_is_a_failure_to_whoever_waited_for_it() -> None:
    report = followed(DEAD)
    assert report.exit_code == 1
    assert "over 60 s" in report.to_dict()["errors"][0]["message"]


def test_reading_about_a_dead_job_succeeds_and_shows_all_that_is_known() -> None:
    report = in_full(DEAD)
    assert (report.exit_code, report.ok) == (0, True)
    shown = text(report)
    for fact in ("dead", "Timeout: over 60 s", "Traceback:", "  File x", "103 MB", "2.50 s", "attempt 1 of 3", "4eb6"):
        assert fact in shown
    assert "2026-11-22 11:59:30 UTC" in shown


def test_a_list_names_jobs_by_as_much_as_tells_them_apart() -> None:
    other = DEAD | {"id": "7d0c0000-0100-0000-0000-000000000001"}
    report = listed({"jobs": [JOB, other], "next": "x"}, None, None, 20, NOON)
    jobs, errors, more = (section for section in report.sections)
    assert [row[0] for row in jobs.tables[0].rows] == ["7d0c0000-00", "7d0c0000-01"]
    assert jobs.tables[0].rows[0][5] == "30 s"
    assert errors.tables[0].rows == (("7d0c0000-01", "over 60 s"),)
    assert more.lines == ("There are more: tradebot jobs list --limit 40",)


@pytest.mark.parametrize(
    ("state", "job_type", "expected"),
    [
        ("dead", None, "No job is dead."),
        ("dead", "sweep", "No job of type sweep is dead."),
        (None, "sweep", "No job of type sweep is known."),
    ],
)
def test_an_empty_list_says_what_there_is_none_of(state: str | None, job_type: str | None, expected: str) -> None:
    assert text(listed({"jobs": [], "next": None}, state, job_type, 20, NOON)).strip() == expected


def test_the_first_list_says_how_to_begin() -> None:
    assert "tradebot jobs submit" in text(listed({"jobs": [], "next": None}, None, None, 20, NOON))


ALL_OF_IT = JOB | {
    "note": "third of five folds",
    "kills": 1,
    "retry_at": "2026-11-22T12:05:00+00:00",
    "cancel_requested_at": "2026-11-22T11:59:33+00:00",
    "replays": 2,
    "trace_id": "4bf92f35",
}


def test_all_that_is_said_of_a_job(snapshot: SnapshotAssertion) -> None:
    dead = ALL_OF_IT | {"state": "dead", "result": None, "error": ERROR | {"fault": "job"}}
    bare = JOB | dict.fromkeys(("worker", "result", "started_at", "finished_at", "peak_memory_bytes"))
    said = [
        followed(ALL_OF_IT),
        followed(JOB | {"state": "cancelled"}),
        followed(DEAD),
        in_full(ALL_OF_IT),
        in_full(dead),
        in_full(dead | {"worker": None, "error": ERROR | {"traceback": None, "fingerprint": None}}),
        in_full(bare | {"state": "running", "progress": 0.256, "events": []}),
        listed({"jobs": [JOB, dead, bare | {"progress": None}], "next": "x"}, None, None, 150, NOON),
    ]
    assert "\n\n".join(map(whole, said)) == snapshot
