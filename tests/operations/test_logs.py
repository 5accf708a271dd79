"""Log lines: chosen by time, level and pattern."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.operations.seen import refusal
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import LogLine, LogQuery, Replica, State
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.logs import entries, seconds_ago, since, unreadable
from tradebot_ops.operations.select import Chosen
from tradebot_ops.settings import load_settings
from tradebot_ops.text.log_line import LEVELS

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("15m", NOW - timedelta(minutes=15)),
        ("2h", NOW - timedelta(hours=2)),
        ("1d", NOW - timedelta(days=1)),
        ("2026-11-22T08:00", datetime(2026, 11, 22, 8, tzinfo=UTC)),
        ("2026-11-22T08:00+02:00", datetime(2026, 11, 22, 8, tzinfo=timezone(timedelta(hours=2)))),
        (None, None),
    ],
)
def test_since(text: str | None, expected: datetime | None) -> None:
    assert since(text, NOW) == expected


@pytest.mark.parametrize("text", ["yesterday", "15", "m15", "", "99999999999d", "9999999d", "9" * 5000 + "s"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(OpsError, match="not a time"):
        since(text, NOW)


API = Chosen(("api",), {})


class OneLog:
    """Stands in for a command's world: an engine whose log is three lines."""

    def __init__(self) -> None:
        self.engine = self

    def logs(self, query: LogQuery) -> list[LogLine]:
        del query
        lines = ['{"level": "info", "event": "b"}', '{"level": "error", "event": "c"}', "plain text"]
        return [LogLine("api", 1, text, NOW - timedelta(seconds=place)) for place, text in enumerate(lines)]


@pytest.mark.parametrize(
    ("level", "grep", "expected"),
    [
        (None, None, ["plain text", "c", "b"]),
        ("warning", None, ["c"]),
        ("info", 'plain|"b"', ["plain text", "b"]),
        ("debug", "nothing like it", []),
    ],
)
def test_filters_and_order(level: str | None, grep: str | None, expected: list[str]) -> None:
    found = entries(OneLog(), API, LogQuery(), level, grep)  # type: ignore[arg-type]
    assert [(entry.fields or {}).get("event", entry.line.text) for entry in found] == expected


@pytest.mark.parametrize("level", ["error", "ERR", "fatal"])
def test_a_level_goes_by_any_of_its_names(level: str) -> None:
    texts = ['{"level": "err"}', '{"level": 50}', "level=error msg=x", "x ERROR: y", '{"level": "warn"}', "plain"]

    class Log(OneLog):
        def logs(self, query: LogQuery) -> list[LogLine]:
            del query
            return [LogLine("api", 1, text, NOW) for text in (*texts, '{"level": "fatal"}')]

    found = entries(Log(), API, LogQuery(), level, None)  # type: ignore[arg-type]
    fatal = ['{"level": "fatal"}']
    assert [entry.line.text for entry in found] == (fatal if level == "fatal" else [*texts[:4], *fatal])


def test_a_traceback_goes_with_the_error_above_it() -> None:
    api = [
        '{"level": "info", "event": "ready"}',
        "plain",
        '{"level": "error", "event": "job failed"}',
        "Traceback (most recent call last):",
        '  File "a.py", line 1, in run',
        "    raise KeyError(1)",
        "KeyError: 1",
        "",
        "During handling of the above exception, another exception occurred:",
        "",
        "Traceback (most recent call last):",
        '  File "a.py", line 2, in run',
        "ValueError: 2",
        "plain again",
        '{"level": "info", "event": "next"}',
        "Traceback (most recent call last):",
    ]

    class Log(OneLog):
        def logs(self, query: LogQuery) -> list[LogLine]:
            del query
            lines = [LogLine("api", 1, text, NOW + timedelta(seconds=place)) for place, text in enumerate(api)]
            # Another replica's lines in between.
            return [*lines, LogLine("api", 2, "noise", NOW + timedelta(seconds=3.5))]

    found = entries(Log(), API, LogQuery(), "error", None)  # type: ignore[arg-type]
    assert [entry.line.text for entry in found] == api[2:13]
    both = entries(Log(), API, LogQuery(), "error", "KeyError: 1")  # type: ignore[arg-type]
    assert [entry.line.text for entry in both] == ["KeyError: 1"]


@pytest.mark.parametrize(("level", "grep"), [("loud", None), (None, "(")])
def test_bad_filters_are_usage_errors(level: str | None, grep: str | None) -> None:
    with pytest.raises(OpsError) as raised:
        list(entries(OneLog(), API, LogQuery(), level, grep))  # type: ignore[arg-type]
    assert raised.value.exit_code == 2


@pytest.mark.parametrize(
    ("engine", "expected"), [("docker", ("store keeps no log: its logging.driver is none.",)), ("local", ())]
)
def test_a_service_that_keeps_no_log_is_named(tmp_path: Path, engine: str, expected: tuple[str, ...]) -> None:
    (tmp_path / "compose.yaml").write_text(
        "services:\n  store: {image: a, command: [a], logging: {driver: none}}\n  api: {image: b, command: [b]}\n"
    )
    ops = Ops(load_settings({"project": "demo"}, {"HOME": str(tmp_path)}, tmp_path), StubEngine("demo"))
    ops.engine.name = engine
    assert unreadable(ops, Chosen((), {})) == expected
    assert unreadable(ops, API) == ()


@pytest.mark.parametrize(("text", "ago"), [("15m", 900.0), ("2026-11-22T11:59:59", 1.0), ("2026-11-22T12:00:00", None)])
def test_what_is_not_over_is_not_in_the_past(text: str, ago: float | None) -> None:
    if ago is not None:
        assert seconds_ago(text, NOW) == ago
        return
    with pytest.raises(OpsError, match="is not in the past"):
        seconds_ago(text, NOW)


def test_refusals() -> None:
    ops: Any = None
    times = "Use 15m, 2h, 1d or 2026-11-22T08:00."
    seen = []
    for act in (
        lambda: next(entries(ops, Chosen((), {}), LogQuery(), "loud", None)),
        lambda: next(entries(ops, Chosen((), {}), LogQuery(), None, "a(")),
        lambda: since("soon", NOW),
        lambda: seconds_ago("2026-11-23", NOW),
        lambda: seconds_ago("soon", NOW),
    ):
        with pytest.raises(OpsError) as caught:
            act()
        seen.append(refusal(caught.value))
    assert seen == [
        ("TB-0204", "'loud' is not a log level.", f"Use one of: {', '.join(LEVELS)}."),
        (
            "TB-0204",
            "'a(' is not a regular expression: missing ), unterminated subpattern at position 1.",
            "Escape special signs: --grep 'a\\.b'",
        ),
        ("TB-0204", "'soon' is not a time.", times),
        ("TB-0204", "'2026-11-23' is not in the past.", times),
        ("TB-0204", "'soon' is not a time.", times),
    ]


class Others(OneLog):
    """A line without a time among others; replicas 1 and 3 are there."""

    def logs(self, query: LogQuery) -> list[LogLine]:
        del query
        return [LogLine("api", 1, text, at) for text, at in (("b", NOW), ("a", None), ("c", NOW + timedelta(1)))]

    def list(self) -> tuple[Replica, ...]:
        return tuple(Replica("api", number, str(number), f"api-{number}", State.RUNNING) for number in (1, 3))


def test_a_line_without_a_time_stands_before_those_that_have_one() -> None:
    found = entries(Others(), API, LogQuery(), None, None)  # type: ignore[arg-type]
    assert [entry.line.text for entry in found] == ["a", "b", "c"]
    found = entries(Others(), API, LogQuery(follow=True), None, None)  # type: ignore[arg-type]
    assert [entry.line.text for entry in found] == ["b", "a", "c"], "in the order in which they arrive"


def test_a_replica_that_is_not_there_is_no_silence() -> None:
    with pytest.raises(OpsError, match="api has no replica 2; there are: 1, 3") as caught:
        next(entries(Others(), Chosen(("api",), {"api": {2}}), LogQuery(), None, None))  # type: ignore[arg-type]
    assert caught.value.code == "TB-0212"
    assert next(entries(Others(), Chosen(("api",), {"api": {1}}), LogQuery(), None, None))  # type: ignore[arg-type]
