"""What is kept of logs stays bounded, and no line of whatever kind is an error."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import LogLine
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.facts.replicas import logs
from tradebot_ops.settings import load_settings
from tradebot_ops.text.log_line import json_object


def line(text: str, service: str = "api", number: int = 1) -> LogLine:
    return LogLine(service, number, text)


def test_lines_are_kept_by_replica_with_their_json_beside_them() -> None:
    found = logs.collected([line('{"event": "x"}'), line("plain"), line('{"a": 1}', "worker", 2)])
    assert {label: [entry.fields for entry in entries] for label, entries in found.items()} == {
        "api-1": [{"event": "x"}, None],
        "worker-2": [{"a": 1}],
    }
    assert found["api-1"][1].text == "plain"


def test_the_oldest_go_where_there_are_too_many_or_too_long_ones() -> None:
    many = logs.collected([line(str(number)) for number in range(logs.LINES + 5)])["api-1"]
    assert (len(many), many[0].text) == (logs.LINES, "5")
    long = logs.collected([line("a" * 60), line("b" * 60), line("c" * 30)], most=100)["api-1"]
    assert [entry.text[0] for entry in long] == ["b", "c"]


def test_a_long_line_is_read_and_an_endless_one_cut() -> None:
    mega = json.dumps({"event": "e" * 1024**2})
    assert logs.collected([line(mega)])["api-1"][0].fields == {"event": "e" * 1024**2}
    (cut,) = logs.collected([line(mega)], most=1000)["api-1"]
    assert (len(cut.text), cut.cut, cut.fields) == (1000, True, None)


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"a": ' * 100_000, "{\udcff}", "\ufffd\x00", "null", '{"a": NaN'])
def test_what_is_no_object_of_json_has_no_fields(text: str) -> None:
    assert json_object(text) is None


def test_what_an_earlier_life_wrote_does_not_count() -> None:
    now = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)

    def entry(text: str, at: datetime | None = None) -> logs.Entry:
        return logs.Entry(LogLine("worker", 1, text, at), json_object(text))

    old, plain, new = entry("{}", now - timedelta(hours=1)), entry("plain"), entry("{}", now)
    # JSON again after a start, and no longer JSON after one.
    assert logs.since((old, plain, new, new), now - timedelta(seconds=2)) == (new, new)
    assert logs.since((old, plain), now) == (plain,)
    assert logs.since((old, plain), None) == (old, plain)
    assert logs.since((), now) == ()


def test_lives_that_met_within_a_second_are_told_apart() -> None:
    start = datetime(2026, 11, 26, 12, 0, 0, 400_000, tzinfo=UTC)
    last, first = (
        logs.Entry(LogLine("worker", 1, text, start + timedelta(milliseconds=by)), {})
        for text, by in (("last words", -100), ("first words", 100))
    )
    assert logs.since((last, first), start) == (first,)
    assert logs.since((first,), start) == (first,)


def test_a_stack_that_wrote_nothing(tmp_path: Path) -> None:
    ops = Ops(load_settings({}, {"TRADEBOT_STATE": str(tmp_path)}, tmp_path), StubEngine("demo"))
    assert logs.recent(ops) == {}
