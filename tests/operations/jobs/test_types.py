"""What can be submitted: with the stack down from this installation, with it up from the API."""

from pathlib import Path
from typing import Any

import pytest

from tests.paths import ROOT
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Level
from tradebot_ops.operations.jobs.types import described, listed
from tradebot_ops.settings import load_settings

PLUGIN = {
    "name": "mean_price",
    "version": 1,
    "timeout_s": 60.0,
    "max_attempts": 3,
    "schema": {"properties": {"days": {"type": "integer", "default": 20, "description": "so many"}}},
}


class Api:
    def job_types(self) -> dict[str, Any]:
        return {"job_types": [PLUGIN], "quarantined": [{"name": "broken", "error": "ImportError: no"}]}


@pytest.fixture
def down(tmp_path: Path) -> Ops:
    return Ops(load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(tmp_path)}, ROOT), StubEngine("demo"))


@pytest.fixture
def up(down: Ops) -> Ops:
    vars(down)["api"] = Api()
    return down


def test_built_in_types_need_nothing_that_runs(down: Ops) -> None:
    (section,) = described(down, "backtest").sections
    names = [row[0] for table in section.tables for row in table.rows]
    assert {"symbol", "strategy", "fast", "slow"} <= set(names)
    shown = listed(down)
    types = [row[0] for row in shown.sections[0].tables[0].rows]
    assert types == sorted(types)
    assert {"backtest", "canary", "load_candles", "sweep"} <= set(types)
    assert "failing_canary" not in types
    assert "The API does not run" in shown.findings[0].message


def test_a_plug_in_of_the_workers_is_known_while_the_api_answers(up: Ops) -> None:
    (section,) = described(up, "mean_price").sections
    assert section.tables[0].rows == (("days", "whole number", "20", "so many"),)
    shown = listed(up)
    assert [row[0] for row in shown.sections[0].tables[0].rows] == ["mean_price"]
    [broken] = shown.findings
    assert (broken.level, broken.id) == (Level.WARN, "broken")
    assert "ImportError" in broken.message


def test_an_unknown_one_is_one_sentence_and_what_there_is(up: Ops) -> None:
    with pytest.raises(OpsError, match="no job type 'nope'") as caught:
        described(up, "nope")
    assert (caught.value.code, caught.value.exit_code) == ("TB-0226", 2)
    assert caught.value.hint == "Known: mean_price."


def test_a_mistyped_one_is_suggested(down: Ops) -> None:
    with pytest.raises(OpsError, match="no API answers") as caught:
        described(down, "backtset")
    assert caught.value.hint.startswith("Did you mean `backtest`? Known: backtest, canary")
