"""The time a log line tells of itself, and choosing lines by it."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.engines.local.records import a_record
from tradebot_ops.engines.base import LogQuery
from tradebot_ops.engines.local.observing import logs

AT = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        '{"event": "x", "timestamp": "2026-01-02T03:04:05.678Z"}',
        '{"at": "2020-01-01T00:00:00Z", "x": {"ts": 5}, "timestamp": "2026-01-02T03:04:05.678Z"}',
        '{"timestamp": "2026-01-02T03:04:05.678Z", "note": "no \\"timestamp\\": \\"2020-01-01T00:00:00Z\\""}',
        '{"ts": 1767323045.678, "event": "x"}',
        '{"time": "2026-01-02T05:04:05.678+02:00"}',
        "2026-01-02 03:04:05.678 UTC [12] LOG:  ready",
        "[2026-01-02T03:04:05,678Z] ready",
        '{"ts": 1767323045678, "event": "milliseconds"}',
        '{"time": 0.012, "ts": "2026-01-02T03:04:05.678Z"}',
        "ts=2026-01-02T03:04:05.678Z caller=main.go:1 level=info msg=ready",
        'time="2026-01-02T03:04:05.678Z" level=info msg=ready',
    ],
)
def test_a_line_tells_its_time(text: str) -> None:
    assert logs.line_time(text) == AT


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ready",
        "{broken",
        '{"a": 1}',
        '["x"]',
        "2026-13-45T99:99:99Z x",
        '{"timestamp": null}',
        '{"sub": {"timestamp": "2026-01-02T03:04:05Z"}}',
        '{"event": "x", "timestamp": "soon"}',
        "{1: 2}",
        '{"time": 0.012}',
        '{"a": ' * 99_999,
    ],
)
def test_a_line_without_a_time_has_none(text: str) -> None:
    assert logs.line_time(text) is None


def test_valkey_writes_the_time_of_this_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        assert logs.line_time("12:M 02 Jan 2026 04:04:05.678 * Ready") == AT
    finally:
        monkeypatch.undo()
        time.tzset()


def test_following_hears_what_comes_later_and_nothing_twice(tmp_path: Path) -> None:
    path, other = tmp_path / "web-1.log", tmp_path / "web-2.log"
    path.write_text("one\n")
    sources = [(a_record(), path)]
    lines = logs.read(lambda: sources, LogQuery(follow=True))
    assert next(lines).text == "one"
    with path.open("a") as stream:
        stream.write("two\n")
    assert next(lines).text == "two"
    other.write_text("hello\n")
    sources.append((a_record(number=2), other))
    assert (line := next(lines)).text == "hello"
    assert line.number == 2


def test_lines_without_a_time_belong_to_the_line_before(tmp_path: Path) -> None:
    path = tmp_path / "web-1.log"
    path.write_text(
        "starting\n"
        '{"timestamp": "2026-01-02T03:00:00Z"}\nTraceback:\n'
        '{"timestamp": "2026-01-02T04:00:00Z"}\nTraceback of that:\n'
    )
    since = datetime(2026, 1, 2, 3, 30, tzinfo=UTC)
    query = LogQuery(since=since)
    found = list(logs.read(lambda: [(a_record(), path)], query))
    assert [line.text for line in found] == [
        "starting",
        '{"timestamp": "2026-01-02T04:00:00Z"}',
        "Traceback of that:",
    ]
    assert found[-1].at == datetime(2026, 1, 2, 4, tzinfo=UTC)
    last = list(logs.read(lambda: [(a_record(), path)], LogQuery(since=since, tail=1)))
    assert [line.text for line in last] == ["Traceback of that:"]
    path.write_text('no time\n{"timestamp": "2026-01-02T03:00:00Z"}\n{"timestamp": "2026-01-02T04:00:00Z"}\n')
    end = list(logs.read(lambda: [(a_record(), path)], LogQuery(since=since, tail=3)))
    assert [line.text for line in end] == ['{"timestamp": "2026-01-02T04:00:00Z"}']
