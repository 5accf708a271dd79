"""Every level of the checks on the metric contract and on blind detectors."""

from tradebot_ops.facts.metrics.metric_contract import Seen
from tradebot_ops.facts.metrics.monitoring import Answer
from tradebot_ops.model import Level
from tradebot_ops.monitoring.contract import Broken, Contract, Metric
from tradebot_ops.monitoring.detector_table import table_of
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
    table = table_of({"conditions": {"RedisDown": {"signals": ["redis_up"]}},
                      "metrics": {"redis_up": [{"when": "w", "twin": "Missing"}]},
                      "sources": {"redis": [{"when": "w", "twin": "Always"}]}})  # fmt: skip
    always = {"alert": "Always", "expr": "vector(1)"}
    verdict = sighted(({"groups": [{"rules": [rule]}]},), metrics, table)
    assert (verdict.level, verdict.observed) == (Level.FAIL, "redis_up of redis")
    whole = ({"groups": [{"rules": [rule, twin, always]}]},)
    assert sighted(whole, metrics, table).level is Level.PASS
    verdict = sighted(whole, metrics, table_of({}))
    assert (verdict.level, verdict.observed) == (Level.FAIL, "2 wrong")
    assert "RedisDown: a critical alert without a row" in verdict.evidence
