"""Strategies for people: which there are, and the verdict on one."""

from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from services.common.job_type_list import job_type_list
from services.common.jobtypes import registry
from tests.operations.jobs.test_dead_letters import ops_with, said
from tests.operations.seen import Made, made, refusal, whole
from tradebot_ops.errors import ExitCode, OpsError
from tradebot_ops.operations.trade import strategies

RESULT = {"strategy": "sma_cross", "symbol": None, "bars": 1500, "cuts": 40, "exposure": 0.512, "faults": list[Any]()}


class Api:
    """Ends each job as it was told to."""

    def __init__(self, state: str = "succeeded", result: Any = None, broken: tuple[str, ...] = ()) -> None:
        self.types = job_type_list(registry())
        self.types["quarantined"] += [{"name": name, "error": "ImportError: no talib"} for name in broken]
        self.ended = {"id": "job-1", "state": state, "progress": 1, "result": result, "error": None}
        self.asked = list[Any]()

    def job_types(self) -> dict[str, Any]:
        return self.types

    def submit(self, job_type: str, payload: dict[str, Any]) -> dict[str, Any]:
        self.asked.append((job_type, payload))
        return self.ended

    def job(self, _job_id: str) -> dict[str, Any]:
        return self.ended


def test_all_that_ship_are_listed_with_their_parameters(tmp_path: Path) -> None:
    report = strategies.listed(ops_with(Api(), tmp_path))  # type: ignore[arg-type]
    assert report.sections[0].tables[0].rows == (
        ("breakout", "lookback=20 exit_lookback=10"),
        ("mean_reversion", "window=20 z=1.5 exit_z=0.0"),
        ("sma_cross", "fast=10 slow=30"),
    )
    assert report.findings == ()


def test_one_that_is_broken_is_named_and_other_plug_ins_are_not(tmp_path: Path) -> None:
    api = Api(broken=("strategy mine", "a job"))
    report = strategies.listed(ops_with(api, tmp_path))  # type: ignore[arg-type]
    assert [finding.message for finding in report.findings] == [
        "The strategy mine cannot be loaded: ImportError: no talib."
    ]


def test_one_alone_is_listed_too() -> None:
    properties = {"fast": {"type": "integer", "default": 1}, "strategy": {"const": "lone"}, "symbol": {}}
    document = {"job_types": [{"name": "check_strategy", "schema": {"properties": properties}}]}
    assert [(name, [each.name for each in own]) for name, own in strategies._known(document).items()] == [
        ("lone", ["fast"])
    ]


def test_a_sound_one_passes(tmp_path: Path) -> None:
    api = Api(result=RESULT)
    report = strategies.check(ops_with(api, tmp_path), "sma_cross", ["fast=5"], "AAPL")  # type: ignore[arg-type]
    assert api.asked == [("check_strategy", {"fast": 5, "strategy": "sma_cross", "symbol": "AAPL"})]
    assert report.exit_code == ExitCode.OK
    assert said(report) == (
        "sma_cross knows its past alone, as far as 1500 bars of made-up prices show. "
        "Its future was taken away or replaced at 40 of 1500 bars of made-up prices; it held on 51 % of them."
    )


def test_each_fault_is_a_failure(tmp_path: Path) -> None:
    faults = [{"kind": "look-ahead", "message": "It looks ahead."}, {"kind": "warmup", "message": "It holds early."}]
    api = Api(result={**RESULT, "faults": faults, "exposure": None})
    report = strategies.check(ops_with(api, tmp_path), "sma_cross", [], None)  # type: ignore[arg-type]
    assert [finding.message for finding in report.findings] == ["It looks ahead.", "It holds early."]
    assert report.exit_code == ExitCode.FAILED
    assert "past alone" not in said(report)


def test_one_that_could_not_be_tried_is_no_pass(tmp_path: Path) -> None:
    api = Api("dead")
    report = strategies.check(ops_with(api, tmp_path), "sma_cross", [], None)  # type: ignore[arg-type]
    assert [finding.message for finding in report.findings] == ["The strategy could not be tried: the job is dead."]
    assert report.exit_code == ExitCode.FAILED


def test_one_that_nobody_knows_is_refused_before_a_job_is_made(tmp_path: Path) -> None:
    api = Api()
    with pytest.raises(OpsError) as caught:
        strategies.check(ops_with(api, tmp_path), "sma_cros", [], None)  # type: ignore[arg-type]
    assert (caught.value.code, api.asked) == ("TB-0274", [])
    assert "sma_cross" in caught.value.hint


def test_screens(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    api = Api(broken=("strategy mine", "a job"))
    fault = {"kind": "look-ahead", "message": "It looks ahead."}
    jobs = (
        Api(result=RESULT).ended,
        Api(result={**RESULT, "symbol": "AAPL", "exposure": None, "faults": [fault]}).ended,
        Api("dead").ended | {"error": {"message": "It broke"}},
        Api("cancelled").ended,
    )
    seen = [strategies.listed(ops_with(api, tmp_path)), *map(strategies._judged, jobs)]  # type: ignore[arg-type]
    assert "\n\n".join(map(whole, seen)) == snapshot


def test_one_that_nobody_knows_is_told_with_those_there_are(tmp_path: Path) -> None:
    known = "Known: breakout, mean_reversion, sma_cross."
    for name, hint in (("sma_cros", f"Did you mean `sma_cross`? {known}"), ("zzz", known)):
        with pytest.raises(OpsError) as caught:
            strategies.check(ops_with(Api(), tmp_path), name, [], None)  # type: ignore[arg-type]
        assert refusal(caught.value) == ("TB-0274", f"There is no strategy '{name}'.", hint)


def test_the_audit_log_has_the_name_and_nobody_is_hindered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ops = ops_with(Api(result=RESULT), tmp_path)  # type: ignore[arg-type]
    assert made(monkeypatch, lambda heard: strategies.check(ops, "sma_cross", [], None, heard)) == [
        Made(("strategies check", "sma_cross"), leased=False)
    ]


def test_what_is_of_every_strategy_is_none_of_its_own() -> None:
    names = ("fast", "strategy", "symbol", "interval")
    properties = {name: {"const": "lone"} if name == "strategy" else {"type": "string"} for name in names}
    document = {"job_types": [{"name": "check_strategy", "schema": {"properties": properties}}]}
    assert [each.name for each in strategies._known(document)["lone"]] == ["fast"]
    assert strategies._known({"job_types": [{"name": "another", "schema": {"properties": properties}}]}) == {}
