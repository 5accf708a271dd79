"""Every level of the checks on the metric contract and on blind detectors."""

from tradebot_ops.facts.metrics.metric_contract import Seen
from tradebot_ops.facts.metrics.monitoring import Answer
from tradebot_ops.model import Level
from tradebot_ops.monitoring.contract import Broken, Contract, Metric
from tradebot_ops.prodcheck.stages.monitoring.contract import contract, sighted

GATE = Answer("prometheus", ok=True, detail="ready")


def test_contract() -> None:
    sound, nothing = Contract((), ()), Seen((), ())
    assert contract(sound, nothing, GATE).level is Level.PASS
    assert contract(Contract((Broken("alert A", "gone"),), ()), nothing, GATE).level is Level.FAIL
    assert contract(sound, Seen(("api emits no x",), ()), GATE).observed == "api emits no x"
    assert contract(sound, Seen((), ("api",)), GATE).level is Level.FAIL
    # Declared and asked for by nobody is no fault.
    assert contract(Contract((), (Metric("x", "gauge"),)), nothing, GATE).level is Level.PASS


def test_sighted() -> None:
    metrics = (Metric("redis_up", "gauge", source="redis"),)
    rule = {"alert": "RedisDown", "expr": "redis_up == 0", "labels": {"severity": "critical"}}
    twin = {"alert": "Missing", "expr": "absent(redis_up)", "labels": {"severity": "warning"}}
    verdict = sighted(({"groups": [{"rules": [rule]}]},), metrics)
    assert (verdict.level, verdict.observed) == (Level.FAIL, "redis_up of redis")
    assert sighted(({"groups": [{"rules": [rule, twin]}]},), metrics).level is Level.PASS
