"""Job commands: payloads as typed, and jobs by the beginnings of their ids."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.operations.jobs.test_report import JOB
from tests.paths import ROOT
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.jobs.jobs import cancel, payload_of
from tradebot_ops.operations.trade import results
from tradebot_ops.settings import load_settings

FIRST, SECOND = "57021200-0000-0000-0000-000000000001", "57021300-0000-0000-0000-000000000002"


class Api:
    """Has two jobs, and does as the API does with the beginning of an id."""

    def __init__(self) -> None:
        self.cancelled: list[str] = []

    def jobs(self, state: None, job_type: None, limit: int, *, beginning: str) -> dict[str, Any]:
        del state, job_type
        return {"jobs": [{"id": each} for each in (FIRST, SECOND) if each.startswith(beginning)][:limit]}

    def job(self, job_id: str) -> dict[str, Any]:
        return JOB | {"id": job_id}

    def cancel(self, job_id: str) -> dict[str, Any]:
        self.cancelled.append(job_id)
        return JOB | {"id": job_id, "state": "cancelled"}


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    made = Ops(load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(tmp_path)}, ROOT), StubEngine("demo"))
    vars(made)["api"] = Api()
    return made


@pytest.mark.parametrize(
    ("typed", "meant"), [("570212", FIRST), ("570213", SECOND), (FIRST, FIRST), ("no-such", "no-such"), ("", "")]
)
def test_the_beginning_of_an_id_is_enough(ops: Ops, typed: str, meant: str) -> None:
    for report in (results.show(ops, typed, trades=False, file=None), cancel(ops, typed)):
        assert isinstance(report.data, dict)
        assert report.data["id"] == meant


def test_an_ambiguous_one_is_refused_with_its_candidates(ops: Ops) -> None:
    with pytest.raises(OpsError, match=f"{FIRST}, {SECOND}"):
        cancel(ops, "5702")
    assert ops.api.cancelled == []  # type: ignore[attr-defined]


def test_values_keep_their_types() -> None:
    pairs = ["symbol=AAPL", "fast=10", "fee_bps=2.5", "dry=true", "grid=[1,2]", "note=a=b"]
    expected = {"symbol": "AAPL", "fast": 10, "fee_bps": 2.5, "dry": True, "grid": [1, 2], "note": "a=b"}
    assert payload_of(pairs) == expected


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1e5", "7203.0E0", "2.50", "0700", "^GSPC", "EURUSD=X"])
def test_a_name_that_only_looks_like_a_number_arrives_as_it_was_typed(text: str) -> None:
    assert payload_of([f"symbol={text}"]) == {"symbol": text}


@pytest.mark.parametrize("pair", ["symbol", "=AAPL", ""])
def test_a_pair_without_name_or_value_is_refused(pair: str) -> None:
    with pytest.raises(OpsError, match="NAME=VALUE") as raised:
        payload_of([pair])
    assert raised.value.exit_code == 2


@given(st.text())
def test_any_value_survives(text: str) -> None:
    assert set(payload_of([f"x={text}"])) == {"x"}
