"""Job commands: payloads as typed, and jobs by the beginnings of their ids."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.operations.jobs.test_report import JOB
from tests.operations.seen import Made, made, refusal
from tests.paths import ROOT
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.jobs.jobs import cancel, list_jobs, payload_of, submit, until_ended, watch_job
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
    with pytest.raises(OpsError, match=f"{FIRST}, {SECOND}") as caught:
        cancel(ops, "5702")
    assert caught.value.hint.endswith("tradebot jobs list")
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


# From submitting to the end


class Submitted(Api):
    """A job that goes through these states, one each time it is looked at."""

    def __init__(self, *states: str) -> None:
        super().__init__()
        self.states, self.asked = list(states), list[Any]()

    def submit(self, job_type: str, payload: dict[str, Any], notify: str | None = None) -> dict[str, Any]:
        self.asked.append((job_type, payload, notify))
        return JOB | {"state": "queued"}

    def job(self, job_id: str) -> dict[str, Any]:
        self.asked.append(job_id)
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return JOB | {"id": job_id, "state": state}

    def jobs(self, state: str | None, job_type: str | None, limit: int, **given: Any) -> dict[str, Any]:
        if "beginning" in given:
            return super().jobs(None, None, limit, **given)
        self.asked.append((state, job_type, limit))
        return {"jobs": [], "next": None}


@pytest.fixture
def world(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Submitted]:
    def made_of(*states: str) -> Submitted:
        vars(ops)["api"] = api = Submitted(*states)
        return api

    monkeypatch.setattr("tradebot_ops.facts.work.follow.POLL_SECONDS", 0)
    return made_of


def test_a_job_is_submitted_with_its_parameters_and_waited_for_only_if_asked(
    ops: Ops, world: Callable[..., Submitted], monkeypatch: pytest.MonkeyPatch
) -> None:
    api, seen = world("queued", "running", "succeeded"), list[dict[str, Any]]()
    now = submit(ops, "backtest", ["symbol=AAPL"], wait=False, notify="dead")
    assert isinstance(now.data, dict)
    assert (now.data["state"], api.asked) == ("queued", [("backtest", {"symbol": "AAPL"}, "dead")])
    ended = submit(ops, "backtest", [], wait=True, watch=seen.append)
    assert isinstance(ended.data, dict)
    assert (ended.data["state"], [each["state"] for each in seen]) == ("succeeded", ["queued", "running", "succeeded"])
    assert api.asked[1:] == [("backtest", {}, None), *[JOB["id"]] * 3]
    assert made(monkeypatch, lambda heard: submit(ops, "backtest", [], wait=False, on_progress=heard)) == [
        Made(("jobs submit", "backtest"), leased=False)
    ]


def test_what_is_no_pair_is_refused_before_anything_is_submitted(ops: Ops, world: Callable[..., Submitted]) -> None:
    api = world("queued")
    with pytest.raises(OpsError) as caught:
        submit(ops, "backtest", ["symbol"], wait=False)
    hint = "tradebot jobs submit backtest symbol=AAPL fast=10 slow=30"
    assert refusal(caught.value) == ("TB-0202", "'symbol' is not NAME=VALUE.", hint)
    assert api.asked == []


def test_one_that_takes_too_long_runs_on(ops: Ops, world: Callable[..., Submitted]) -> None:
    world("running")
    hasty = ops.with_settings(replace(ops.settings, timeout=0.01))
    vars(hasty)["api"] = ops.api
    with pytest.raises(OpsError) as caught:
        until_ended(hasty, "7d0c")
    why = "Job 7d0c is still running after 0.01 s; it runs on."
    assert refusal(caught.value) == ("TB-0602", why, "tradebot jobs watch 7d0c")
    assert watch_job(hasty, "7d0c", lambda _: None).ok, "to look at it for a while is no failure"


def test_one_that_is_watched_is_followed_to_its_end(ops: Ops, world: Callable[..., Submitted]) -> None:
    world("running", "dead")
    seen: list[dict[str, Any]] = []
    report = watch_job(ops, "570212", seen.append)
    assert isinstance(report.data, dict)
    assert (report.data["id"], report.data["state"]) == (FIRST, "dead")
    assert [each["state"] for each in seen] == ["running", "dead"]


def test_a_list_is_of_what_was_asked_for(ops: Ops, world: Callable[..., Submitted]) -> None:
    api = world("queued")
    assert list_jobs(ops, "dead", "sweep", 7).sections[0].lines == ("No job of type sweep is dead.",)
    assert api.asked == [("dead", "sweep", 7)]


def test_one_is_cancelled_by_its_whole_id(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cancel(ops, "570213").sections[0].lines == (f"Job {SECOND} is cancelled.",)
    assert made(monkeypatch, lambda heard: cancel(ops, "570213", heard)) == [
        Made(("jobs cancel", SECOND), leased=False)
    ]
