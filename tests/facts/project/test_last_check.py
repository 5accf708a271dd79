"""The newest run that `prod-check` stored is read as it was written."""

from pathlib import Path

import pytest

from tests.prodcheck.test_report import made
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.asking import Facts
from tradebot_ops.facts.fact import NotHere
from tradebot_ops.facts.project.last_check import FILE, Result, last_check
from tradebot_ops.prodcheck.history import History
from tradebot_ops.prodcheck.runner import State
from tradebot_ops.settings import load_settings


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    return Ops(load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(tmp_path)}, tmp_path), StubEngine("demo"))


def test_the_newest_run_with_its_results(ops: Ops) -> None:
    before = Facts(ops).value(last_check)
    assert isinstance(before, NotHere)
    store = History(ops.state.folder)
    store.add(made(State.PASS, State.PASS))
    store.add(made(State.PASS, State.FAIL))
    found = last_check(ops)
    assert (found.env, found.score, found.grade) == ("dev", 50, "F")
    assert found.results == (
        Result("AAA-01", "pass", found.results[0].message),
        Result("AAA-02", "fail", "fail was found."),
    )


def test_a_damaged_store_is_one_sentence(ops: Ops) -> None:
    ops.state.write(FILE, "nonsense " * 1000)
    with pytest.raises(OpsError, match=r"cannot be read: .*\.$"):
        last_check(ops)
