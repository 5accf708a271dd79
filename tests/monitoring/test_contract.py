"""What dies when a metric or a label is renamed, and what nobody uses."""

import pytest

from tradebot_ops.errors import OpsError
from tradebot_ops.monitoring.contract import (
    Broken,
    Metric,
    Use,
    check,
    dashboard_uses,
    declared_metrics,
    missing,
    rule_uses,
)

REQUESTS = Metric("http_requests_total", "counter", frozenset({"endpoint", "status"}), "api")
DURATION = Metric("http_request_duration_seconds", "histogram", frozenset({"endpoint"}), "api")
QUEUE = Metric("queue_length", "gauge", frozenset({"queue"}), "api")


def broken(expression: str, *metrics: Metric, shows: frozenset[str] = frozenset()) -> set[tuple[str, str]]:
    contract = check([Use("alert X", expression, shows=shows)], metrics or (REQUESTS, DURATION, QUEUE))
    return {(found.metric, found.label) for found in contract.broken}


@pytest.mark.parametrize(
    "expression",
    [
        'sum by (job, status) (rate(http_requests_total{job="api",status=~"5.."}[2m])) > 0.1',
        "histogram_quantile(0.95, sum by (le, endpoint) (rate(http_request_duration_seconds_bucket[5m])))",
        "max by (queue) (queue_length) - min by (queue) (min_over_time(queue_length[10m])) >= 5",
        'label_replace(sum(queue_length), "pool", "any", "", "") and on () vector(1)',
        'sum without (queue) (queue_length) / on (instance) up{job="api"}',
        "topk by (job) (3, queue_length) > 0.5 * scalar(sum(queue_length))",
        'queue_length{queue!~".*dlq",shard!="x"} offset 3h',
        "max by (outage) (max_over_time(ALERTS[5m]))",
        "rate(queue_length[$__rate_interval]) or vector(0)",
        'count by (__name__, anything) ({job="api"})',
        "avg_over_time((sum by (queue) (queue_length))[10m:1m])",
        "time() - max by (queue) (queue_length) > -60",
    ],
)
def test_expression_that_asks_for_what_exists(expression: str) -> None:
    assert broken(expression) == set()


@pytest.mark.parametrize(
    ("expression", "metric", "label"),
    [
        ("rate(http_requests[2m])", "http_requests", ""),
        ('{__name__="gone"} > 1', "gone", ""),
        ("http_request_duration_seconds > 1", "http_request_duration_seconds", ""),
        ('http_requests_total{code="500"}', "http_requests_total", "code"),
        ("sum by (code) (http_requests_total)", "http_requests_total", "code"),
        ("sum by (endpoint) (sum by (status) (http_requests_total))", "http_requests_total", "endpoint"),
        ("queue_length and on (status) http_requests_total", "queue_length", "status"),
        ("sum(queue_length) / on (queue) queue_length", "queue_length", "queue"),
        (
            "histogram_quantile(0.9, sum by (endpoint) (rate(http_request_duration_seconds_bucket[5m])))",
            "http_request_duration_seconds_bucket",
            "le",
        ),
        ("sum by (le) (rate(http_request_duration_seconds_count[5m]))", "http_request_duration_seconds_count", "le"),
        ('absent(up{role="api"})', "up", "role"),
    ],
)
def test_expression_that_can_never_fire(expression: str, metric: str, label: str) -> None:
    assert (metric, label) in broken(expression)


def test_label_printed_but_aggregated_away() -> None:
    assert broken("sum(queue_length) > 1", shows=frozenset({"queue"})) == {("its own result", "queue")}
    assert broken('absent(up{job="api"})', shows=frozenset({"job"})) == set()


def test_recording_is_followed() -> None:
    recording = Use("recording q:max", "max by (queue) (queue_length)", records="q:max")
    alerts = [Use("alert A", "q:max > 1", shows=frozenset({"queue"})), Use("alert B", 'q:max{job="api"} > 1')]
    assert check([recording, *alerts], [QUEUE]).broken == (Broken("alert B", "q:max", "job"),)


def test_recording_that_reads_itself_ends() -> None:
    loop = Use("recording a", "a + 1", records="a")
    assert check([loop], []).broken == ()


def test_renaming_one_label_names_everything_that_dies() -> None:
    uses = [Use("alert A", "sum by (queue) (queue_length)"), Use("panel 5", 'queue_length{queue="x"}')]
    renamed = Metric("queue_length", "gauge", frozenset({"name"}))
    assert {found.where for found in check(uses, [renamed]).broken} == {"alert A", "panel 5"}


def test_unused_metric_is_named() -> None:
    contract = check([Use("alert A", "http_request_duration_seconds_count > 1")], [DURATION, QUEUE])
    assert contract.unused == (QUEUE,)


def test_broken_promql_is_an_operators_sentence() -> None:
    with pytest.raises(OpsError, match="is not PromQL") as caught:
        check([Use("alert A", "sum(")], [])
    assert caught.value.code == "TB-0103"


def test_broken_reads_as_a_sentence() -> None:
    assert str(Broken("alert A", "gone")) == "alert A asks for gone, which nothing emits"
    assert "no such label" in str(Broken("alert A", "up", "role"))


def test_uses_of_a_rule_file_and_a_dashboard() -> None:
    rules = {
        "groups": [
            {
                "rules": [
                    {"record": "r", "expr": "up"},
                    {
                        "alert": "A",
                        "expr": "up == 0",
                        "labels": {"severity": "critical", "outage": "{{ $labels.job }}"},
                        "annotations": {"summary": "{{ $labels.instance }} is down"},
                    },
                ]
            }
        ]
    }
    recording, alert = rule_uses(rules)
    assert recording.records == "r"
    assert alert.shows == {"job", "instance"}
    assert alert.adds == {"severity", "outage"}
    panel = {"id": 1, "title": "T", "targets": [{"expr": "up", "legendFormat": "{{job}} p95"}]}
    (use,) = dashboard_uses({"panels": [panel, {"id": 2, "title": "text"}]})
    assert (use.where, use.shows) == ("panel 1 'T'", frozenset({"job"}))


def test_declaration_defaults_to_a_gauge_without_labels() -> None:
    (metric,) = declared_metrics({"redis": {"redis_up": {}}})
    assert metric == Metric("redis_up", "gauge", frozenset(), "redis")


def test_a_late_metric_is_no_loss_while_its_event_is_still_to_come() -> None:
    watchdog = "watchdog_last_received_timestamp_seconds"
    (late,) = declared_metrics({"api": {watchdog: {"late": True, "labels": ["receiver"]}}})
    assert missing([late], {}) == []
    assert missing([late], {watchdog: frozenset({"job", "instance"})}) == [f"{watchdog} of api has no label receiver"]


def test_what_a_source_lacks_is_named_labelled_series_too() -> None:
    target = frozenset({"job", "instance"})
    emitted = {
        "http_requests_total": target | {"endpoint"},
        "http_request_duration_seconds_sum": target | {"endpoint"},
        "http_request_duration_seconds_count": target | {"endpoint"},
        "http_request_duration_seconds_bucket": target | {"endpoint", "le"},
    }
    assert missing([REQUESTS, DURATION, QUEUE], emitted) == [
        "http_requests_total of api has no label status",
        "api emits no queue_length",
    ]
