"""What cannot be asked yet is skipped for a true reason, and can never pass by accident."""

from pathlib import Path

import pytest

from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.facts.asking import Facts
from tradebot_ops.facts.fact import Fact, NotHere, Skip
from tradebot_ops.facts.project import unbuilt
from tradebot_ops.prodcheck.check import Check
from tradebot_ops.prodcheck.stages.operations import money, recovery
from tradebot_ops.settings import load_settings

#: Those of backups and those of the bot are judged: test_recovery.py and test_money.py beside this file.
BUILT = {"OPS-10", "OPS-12", "OPS-01", "OPS-02", "OPS-03", "OPS-13", "OPS-14"}
CHECKS = [
    value
    for module in (money, recovery)
    for value in vars(module).values()
    if isinstance(value, Check) and value.id not in BUILT
]


@pytest.mark.parametrize(
    ("asked", "reason"),
    [(unbuilt.releases, Skip.LATER), (unbuilt.exchange, Skip.ADAPTER)],
)
def test_they_say_why(asked: Fact[object], reason: Skip, tmp_path: Path) -> None:
    ops = Ops(load_settings({}, {"TRADEBOT_STATE": str(tmp_path)}, tmp_path), StubEngine("demo"))
    answer = Facts(ops).value(asked)
    assert isinstance(answer, NotHere)
    assert answer.reason is reason


def test_there_are_as_many_as_the_design_leaves_to_later_issues() -> None:
    ids = sorted(check.id for check in CHECKS)
    assert ids == [f"OPS-{number:02}" for number in (4, 11, 15, 16)]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_none_passes_by_accident(check: Check) -> None:
    with pytest.raises(NotImplementedError):
        check("anything")
