"""Errors in logs: ours and those of other programs, grouped, bounded, and fast."""

import json
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradebot_ops.diagnostics import fingerprints
from tradebot_ops.diagnostics.fingerprints import MOST_GROUPS, SAMPLE, Grouped
from tradebot_ops.diagnostics.redaction import Redactor
from tradebot_ops.engines.base import LogLine
from tradebot_ops.facts.access.logins import TRIED

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TRACEBACK = (
    "Traceback (most recent call last):\n"
    '  File "/opt/v/lib/python3.11/site-packages/fastapi/routing.py", line {line}, in app\n'
    "    raise\n"
    '  File "{root}/services/api/routes/jobs.py", line {line}, in submit\n'
    "    ledger.submit()\n"
    "services.common.ledger.model.UnstorableValue: {value} is not JSON"
)


def group(lines: Iterable[LogLine], *secrets: str) -> Grouped:
    return fingerprints.group(lines, Redactor(secrets))


def ours(number: int = 1, service: str = "api", **fields: Any) -> LogLine:
    fields = {"level": "error", "event": "unhandled error", "logger": "services", **fields}
    return LogLine(service, number, json.dumps(fields), NOON + timedelta(seconds=number))


def of(service: str, *texts: str) -> Grouped:
    return group(LogLine(service, 1, text, NOON) for text in texts)


def events(grouped: Grouped) -> list[tuple[str, str, str]]:
    return [(each.key.level, each.key.event, each.key.exception) for each in grouped.groups]


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 10**6), st.uuids()), min_size=1, max_size=30))
def test_one_fault_is_one_group_wherever_and_whenever_it_is_told(told: list[tuple[int, int, Any]]) -> None:
    lines = [
        ours(
            number,
            event=f"job {job} failed after {line} s",
            exception=TRACEBACK.format(line=line, root=f"/srv/{number}", value=line),
            job_id=str(job),
        )
        for number, line, job in told
    ]
    (found,) = group(lines).groups
    assert found.count == len(told)
    assert found.key.exception == "UnstorableValue"
    assert found.key.frames == ("fastapi/routing.py:app", "services/api/routes/jobs.py:submit")
    assert found.replicas == {line.label for line in lines}
    assert (found.first, found.last) == (
        min(line.at for line in lines if line.at),
        max(line.at for line in lines if line.at),
    )
    assert set(found.jobs) <= {str(job) for _, _, job in told}


@pytest.mark.parametrize(
    "other",
    [
        {"service": "worker"},
        {"level": "critical"},
        {"event": "unhandled panic"},
        {"exception": TRACEBACK.format(line=1, root="", value=1).replace("UnstorableValue", "KeyError")},
        {"exception": TRACEBACK.format(line=1, root="", value=1).replace("in submit", "in cancel")},
    ],
)
def test_what_differs_in_any_part_is_another_group(other: dict[str, str]) -> None:
    usual = {"exception": TRACEBACK.format(line=1, root="", value=1)}
    first, second = group([ours(**usual), ours(**{**usual, **other})]).groups  # type: ignore[arg-type]
    assert first.key.id != second.key.id


def test_only_errors_count() -> None:
    lines = [ours(level=level) for level in ("debug", "info", "warning")]
    lines += [ours(level="info", event='said "error" and "critical"'), ours(level="info", labels={"level": "error"})]
    assert group(lines) == Grouped((), 5)
    assert group([ours(labels={"level": "info"})]).groups[0].count == 1


@pytest.mark.parametrize(
    ("service", "text", "expected"),
    [
        (
            "postgres",
            '2026-11-22 12:00:00.123 UTC [71] tradebot@tradebot ERROR:  relation "job" does not exist at character 15',
            ("error", "ERROR: relation <text> does not exist at character <number>", ""),
        ),
        (
            "postgres",
            "2026-11-22 12:00:00.123 UTC [71] FATAL:  sorry, too many clients already",
            ("critical", "FATAL: sorry, too many clients already", ""),
        ),
        (
            "redis",
            "1:M 22 Nov 2026 12:00:00.123 # Can't save in background: fork: Cannot allocate memory",
            ("error", "Can't save in background: fork: Cannot allocate memory", ""),
        ),
        (
            "prometheus",
            'ts=2026-11-22T12:00:00.1Z level=error msg="loading groups failed" err="/etc/api.yml: 12:3: bad"',
            ("error", "loading groups failed", "<path>: <number>:<number>: bad"),
        ),
        (
            "grafana",
            'logger=provisioning t=2026-11-22T12:00:00Z level=error msg="Failed to provision" error="no such file"',
            ("error", "Failed to provision", "no such file"),
        ),
        ("redis-exporter", 'time="2026-11-22T12:00:00Z" level=error msg=refused', ("error", "refused", "")),
    ],
)
def test_other_programs_are_understood(service: str, text: str, expected: tuple[str, str, str]) -> None:
    assert events(of(service, text)) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22 12:00:00 UTC [71] LOG:  checkpoint complete",
        "1:M 22 Nov 2026 12:00:00.123 * Ready to accept connections",
        'level=info msg="0 ERRORs so far"',
        "INFO:     127.0.0.1:1 - GET /error HTTP/1.1",
        "",
    ],
)
def test_what_only_mentions_errors_is_none(text: str) -> None:
    assert of("postgres", text).groups == ()


def test_a_login_that_prod_check_tried_is_told_from_anybody_elses() -> None:
    line = '2026-11-22 12:00:00.123 UTC [71] postgres@{} FATAL:  password authentication failed for user "postgres"'
    assert of("postgres", line.format(TRIED)).groups == ()
    (found,) = of("postgres", line.format("postgres")).groups
    assert found.count == 1


def test_a_traceback_of_many_lines_is_one_error_per_replica() -> None:
    """Two workers crash at the same time; each one's lines come in order."""
    texts = TRACEBACK.format(line=3, root="/srv", value=3).split("\n")
    lines = [LogLine("worker", number, text, NOON) for text in texts for number in (1, 2)]
    (found,) = group([*lines, ours(service="worker", level="info")]).groups
    assert (found.count, found.key.exception, found.replicas) == (2, "UnstorableValue", {"worker-1", "worker-2"})


def test_an_unfinished_traceback_swallows_no_error() -> None:
    grouped = of("worker", "Traceback (most recent call last):", json.dumps({"level": "error", "event": "later"}))
    assert sorted(each.key.event for each in grouped.groups) == ["later", "uncaught"]


@given(st.lists(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: raw.decode("utf-8", "surrogateescape"))))
def test_no_line_is_too_odd(texts: list[str]) -> None:
    odd = ['{"level": "error"', '{"level": "error", "event": {"a": [1]}}', '["error"]', '{"error"' + "[" * 10_000]
    grouped = of("api", *texts, *odd)
    assert grouped.lines == len(texts) + len(odd)
    assert all(len(each.key.id) == 12 for each in grouped.groups)


def test_what_is_kept_is_bounded() -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    names = [f"failed {a}{b}" for a in letters for b in letters]
    grouped = group([ours(event=name, blob="x" * 10**5) for name in names] * 2)
    assert len(grouped.groups) == MOST_GROUPS
    assert grouped.beyond == 2 * (len(names) - MOST_GROUPS)
    assert all(len(each.sample) <= SAMPLE for each in grouped.groups)


def test_no_part_of_a_secret_is_left_in_key_or_sample() -> None:
    """Masking would take a secret apart, and cutting leave its beginning."""
    secret = "Zk3vQ9xT7mLp2RwYbN8sHd4GfJ6cXa1U"
    told = [f"{'x' * shift} {secret}" for shift in range(SAMPLE - 80, SAMPLE + 5)]
    lines = [ours(event=text, exception=f"{TRACEBACK}\nKeyError: {text}") for text in told]
    lines += [LogLine("postgres", 1, f"ERROR:  {text}", NOON) for text in told]
    lines += [LogLine("worker", 1, text) for text in ("Traceback (most recent call last):", f"ValueError: {secret}")]
    for each in group(lines, secret).groups:
        shown = f"{each.key} {each.sample}"
        assert "Zk" not in shown
        assert "Xa" not in shown


def quick(lines: Iterable[LogLine]) -> float:
    held = list(lines)
    best = 99.0
    for _ in range(3):
        began = time.process_time()
        group(held)
        best = min(best, time.process_time() - began)
    return best


def test_lines_that_are_no_errors_cost_next_to_nothing() -> None:
    """30 000 of each kind; a tenth of what reading every JSON line takes would be 20 ms."""
    informed = json.dumps(
        {"level": "info", "event": "job finished", "job_id": "x" * 36, "seconds": 1.2, "trace": "a" * 99}
    )
    assert quick(LogLine("worker", 1, informed, NOON) for _ in range(30_000)) < 0.3
    said = "2026-11-22 12:00:00.123 UTC [71] LOG:  checkpoint complete: wrote 12 buffers (0.1%); sync=0.01 s"
    assert quick(LogLine("postgres", 1, said, NOON) for _ in range(30_000)) < 0.3
