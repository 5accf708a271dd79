"""The table of detectors says what the rules say: each way in which it may not is found, and ours is right."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tests.paths import ROOT
from tradebot_ops.monitoring.contract import Metric, declared_metrics
from tradebot_ops.monitoring.detector_table import table_of, wrong_rows

FOLDER = ROOT / "config/prometheus"
RULES = [yaml.safe_load(file.read_text()) for file in sorted((FOLDER / "rules").glob("*.yml"))]
METRICS = [
    metric
    for name in ("service-metrics.yml", "exporter-metrics.yml")
    for metric in declared_metrics(yaml.safe_load((FOLDER / name).read_text()))
]
TABLE = yaml.safe_load((FOLDER / "detectors.yml").read_text())
UNNOTICED = "and no row says who notices when it is away"
Change = Callable[[dict[str, Any]], object]


def found(table: dict[str, Any], metrics: list[Metric] = METRICS) -> list[str]:
    return wrong_rows(table_of(table), RULES, metrics)


def test_our_own_table_is_right() -> None:
    assert found(TABLE) == []


def test_every_row_is_a_sentence_for_people() -> None:
    assert all(row["condition"] for row in TABLE["conditions"].values())
    reasons = [each["when"] for part in ("sources", "metrics") for rows in TABLE[part].values() for each in rows]
    assert all(reasons)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda table: table["conditions"].pop("RedisDown"), "RedisDown: a critical alert without a row"),
        (lambda table: table["conditions"].update(Gone={}), "Gone: a row without a critical alert"),
        (lambda table: table["conditions"].update(HighErrorRate={}), "HighErrorRate: a row without a critical alert"),
        (lambda table: table["conditions"]["RedisDown"]["signals"].remove("redis_up"),
         "RedisDown: asks for redis_up, which its row leaves out"),
        (lambda table: table["conditions"]["RedisDown"]["signals"].append("pg_up"),
         "RedisDown: its row names pg_up, which it does not ask for"),
        (lambda table: table["sources"].update(node=[]),
         f"node: the metrics of ServiceDown, ServiceMissing, DiskReadOnly come from it, {UNNOTICED}"),
        (lambda table: table["sources"]["node"].append({"when": "w", "twin": "NodeGone"}),
         "node: its twin NodeGone is no alert"),
        (lambda table: table["sources"]["node"].append({"when": "w"}), "node: its twin (none) is no alert"),
        (lambda table: table["sources"]["node"].append({"when": "w", "twin": "ExporterDown"}),
         "node: its twin ExporterDown does not fire when that is gone"),
        (lambda table: table["metrics"].update(queue_length=[{"when": "w", "twin": "RedisDown"}]),
         "queue_length: its twin RedisDown does not fire when that is gone"),
    ],
)  # fmt: skip
def test_what_differs_is_named(change: Change, said: str) -> None:
    table = copy.deepcopy(TABLE)
    change(table)
    assert sorted(found(table)) == [said]


def test_an_empty_table_says_it_of_every_critical_alert() -> None:
    said = found({})
    assert {f"{alert}: a critical alert without a row" for alert in TABLE["conditions"]} <= set(said)
    assert sum(each.endswith(UNNOTICED) for each in said) == len(TABLE["sources"])
