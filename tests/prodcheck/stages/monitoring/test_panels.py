"""Every level of the checks on the dashboards."""

from dataclasses import replace
from pathlib import Path

import pytest

from tradebot_ops.facts.metrics.config_files import Dashboard
from tradebot_ops.facts.metrics.monitoring import Answer
from tradebot_ops.facts.metrics.panels import Asked, Panels
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.stages.monitoring.panels import filled, readable

GATE = Answer("prometheus", ok=True, detail="ready")
KNOWN = frozenset({"up"})


def asked(series: int = 1, filled: int = 1, metric: str = "up", error: str = "") -> Asked:
    return Asked("panel 1 'P'", metric, frozenset({metric}), series, filled, error)


@pytest.mark.parametrize(
    ("each", "present", "level"),
    [
        (asked(), KNOWN, Level.PASS),
        (asked(filled=0), KNOWN, Level.PASS),
        (asked(series=0), KNOWN, Level.WARN),
        (asked(series=0), frozenset(), Level.WARN),
        (asked(series=0, metric="renamed"), KNOWN, Level.FAIL),
        # `or vector(0)` shows a number for a metric that nobody emits.
        (asked(metric="renamed"), KNOWN, Level.FAIL),
        (asked(metric="undeclared"), frozenset({"undeclared"}), Level.PASS),
        (asked(series=0, error="parse error"), KNOWN, Level.FAIL),
    ],
)
def test_filled(each: Asked, present: frozenset[str], level: Level) -> None:
    assert filled(Panels((each,), KNOWN, present), GATE).level is level


def test_what_may_be_absent_is_not_counted_while_it_is() -> None:
    absent = asked(series=0, filled=0, metric="bot_readable")
    late = Panels((asked(), absent), KNOWN | {"bot_readable"}, KNOWN, frozenset({"bot_readable"}))
    verdict = filled(late, GATE)
    assert (verdict.level, verdict.observed) == (Level.PASS, "1 of 1 query has data")
    assert filled(replace(late, asked=(asked(), replace(absent, error="parse error"))), GATE).level is Level.FAIL


def test_no_panel_at_all_is_a_failure() -> None:
    assert filled(Panels((), KNOWN, KNOWN), GATE).level is Level.FAIL


def test_gaps_are_counted() -> None:
    verdict = filled(Panels((asked(), asked(filled=0)), KNOWN, KNOWN), GATE)
    assert verdict.observed == "2 of 2 queries have data, 1 of them nothing but gaps"


@pytest.mark.parametrize(("metric", "level"), [("up", Level.WARN), ("renamed", Level.FAIL)])
def test_a_panel_of_several_queries_is_named_once(metric: str, level: Level) -> None:
    empty = asked(series=0, metric=metric)
    verdict = filled(Panels((empty, empty), KNOWN, KNOWN), GATE)
    assert (verdict.level, verdict.message.count("panel 1 'P'")) == (level, 1)


def test_readable() -> None:
    sound = Dashboard(Path("a.json"), {"schemaVersion": 39, "panels": []})
    assert readable((sound,)).level is Level.PASS
    assert readable(()).level is Level.FAIL
    verdict = readable((sound, Dashboard(Path("b.json"), {"panels": []})))
    assert (verdict.level, verdict.observed) == (Level.FAIL, "b.json: it has no schemaVersion")
