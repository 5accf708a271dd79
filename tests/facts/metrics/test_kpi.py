"""The questions behind the key figures are PromQL and ask for what is declared; alerts know how long they waited."""

from pathlib import Path

import pytest

from tests.paths import ROOT
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.facts.metrics import config_files, kpi, usage
from tradebot_ops.monitoring.promql import read
from tradebot_ops.settings import load_settings


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    return Ops(load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(tmp_path)}, ROOT), StubEngine("demo"))


@pytest.mark.parametrize("seconds", [120.0, 3600.0, 30 * 86_400.0])
def test_every_question_is_promql_about_declared_metrics(ops: Ops, seconds: float) -> None:
    known = {metric.name for metric in config_files.declared(ops)} | {"up"}
    for expression in [*kpi.expressions(seconds).values(), *usage.expressions(seconds).values()]:
        names = {name.removesuffix("_bucket") for name in read(expression, lambda name: None).used}
        assert names
        assert names <= known, expression


def test_the_wait_of_a_rule_is_the_quickest_of_its_name(ops: Ops) -> None:
    waits = kpi.waits(ops)
    assert waits["WorkerInstanceDown"] == 60
    assert waits["PostgresDown"] == 15


def test_a_young_stack_is_seen_in_a_long_period() -> None:
    """Looks at the past are two minutes apart at most, so that an uptime of 99.9% of a month is told from 99%."""
    assert kpi._step(30 * 86_400.0) <= 150
    assert kpi._step(300.0) == 15
