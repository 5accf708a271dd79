"""Job commands: payloads as typed, and results for people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradebot_ops.errors import OpsError
from tradebot_ops.operations.jobs.jobs import job_report, payload_of

JOB = {
    "id": "7d0c",
    "type": "backtest",
    "state": "succeeded",
    "attempt": 1,
    "max_attempts": 3,
    "payload": {"symbol": "AAPL", "end": None},
    "worker": "worker-1",
    "error": None,
    "result": {"metrics": {"sharpe": 0.51234}, "trades": [{"n": n} for n in range(12)], "equity": [1.0, 2.0]},
}


def test_values_keep_their_types() -> None:
    pairs = ["symbol=AAPL", "fast=10", "fee_bps=2.5", "dry=true", "grid=[1,2]", "note=a=b"]
    expected = {"symbol": "AAPL", "fast": 10, "fee_bps": 2.5, "dry": True, "grid": [1, 2], "note": "a=b"}
    assert payload_of(pairs) == expected


@pytest.mark.parametrize("pair", ["symbol", "=AAPL", ""])
def test_a_pair_without_name_or_value_is_refused(pair: str) -> None:
    with pytest.raises(OpsError, match="NAME=VALUE") as raised:
        payload_of([pair])
    assert raised.value.exit_code == 2


@given(st.text())
def test_any_value_survives(text: str) -> None:
    assert set(payload_of([f"x={text}"])) == {"x"}


def test_a_result_becomes_small_tables() -> None:
    report = job_report(JOB)
    tables = {table.title: table for section in report.sections for table in section.tables}
    assert ("sharpe", "0.5123") in tables[""].rows
    assert len(tables["trades (first 10 of 12)"].rows) == 10
    assert report.ok


def test_a_dead_job_is_a_failure_that_names_its_reason() -> None:
    report = job_report(JOB | {"state": "dead", "result": None, "error": {"type": "Timeout", "message": "over 60 s"}})
    assert report.exit_code == 1
    assert "over 60 s" in report.to_dict()["errors"][0]["message"]
