"""Prometheus' text format, for the textfile collector of the node exporter or for a scrape."""

from typing import TextIO

from tradebot_ops.model import Level, Report

#: A larger number is worse; -1 was not judged.
VALUES = {Level.SKIP: -1, Level.PASS: 0, Level.INFO: 0, Level.WARN: 1, Level.FAIL: 2, Level.ERROR: 3}
HELP = "Result of a check: 0 pass or waived, 1 warn, 2 fail, 3 could not look, -1 skipped."


def render(report: Report, stream: TextIO, color: bool | None) -> None:
    del color
    stream.write(text(report))


def text(report: Report) -> str:
    from prometheus_client import CollectorRegistry, Gauge, generate_latest

    registry = CollectorRegistry()
    state = Gauge("tradebot_check_state", HELP, ["id", "stage"], registry=registry)
    for finding in report.findings:
        state.labels(finding.id, finding.group.partition(".")[0]).set(VALUES[finding.level])
    data = report.data if isinstance(report.data, dict) else {}
    for name, key, meaning in (
        ("tradebot_check_score", "score", "Score of the run, 0 to 100."),
        ("tradebot_check_run_seconds", "seconds", "How long the run took."),
        ("tradebot_check_started_timestamp_seconds", "started_at", "When the run started, in Unix time."),
    ):
        if isinstance(data.get(key), int | float):
            Gauge(name, meaning, registry=registry).set(data[key])
    return generate_latest(registry).decode()
