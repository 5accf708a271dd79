"""Panels turned into series: values, gaps, age, thresholds, and every way in which a panel has none."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from services.api.dashboard.definition import Annotation, Definition, Panel, Target, Threshold, read_definition
from services.api.dashboard.panels import MAX_SERIES, dashboard
from services.api.dashboard.prometheus import Found, QueryFailed
from services.api.dashboard.schemas import DashboardOut, PanelOut
from services.api.dashboard.window import Window
from services.common.settings import DASHBOARD_FILE

#: Five moments: 940, 955, 970, 985, 1000.
SHOWN = Window(end=1000, step=15, points=5)
NAN = float("nan")
AWAY = QueryFailed("Prometheus at http://prometheus:9090 did not answer within 5 s", unreachable=True)

#: By expression: series, or the reason why there are none.
Answers = Mapping[str, list[Found] | QueryFailed]


def panel(*exprs: str, **changes: Any) -> Panel:
    given: dict[str, Any] = {
        "id": 1,
        "type": "timeseries",
        "title": "A panel",
        "description": "",
        "unit": "short",
        "decimals": None,
        "minimum": 0,
        "maximum": None,
        "thresholds": (),
        "threshold_lines": False,
        "grid": (0, 0, 12, 8),
        "targets": tuple(Target("ABC"[place], expr, "{{queue}}") for place, expr in enumerate(exprs)),
    }
    return Panel(**{**given, **changes})


def found(*values: float, end: int = 1000, **labels: str) -> Found:
    """Samples 15 s apart, the last one at ``end``."""
    start = end - 15 * (len(values) - 1)
    return Found(labels, [(start + 15 * number, value) for number, value in enumerate(values)])


class Answering:
    """Prometheus, with these answers and no rules."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers

    async def ask(self, expr: str, shown: Window) -> list[Found]:
        assert shown == SHOWN
        answer = self.answers[expr]
        if isinstance(answer, QueryFailed):
            raise answer
        return answer

    async def rules(self) -> list[Any]:
        return []


def board(answers: Answers, *panels: Panel) -> DashboardOut:
    return asyncio.run(dashboard(Definition("Board", 15, panels), Answering(answers), SHOWN, "1h"))


def one(answers: Answers, shown: Panel) -> PanelOut:
    (out,) = board(answers, shown).panels
    return out


def test_series_stand_on_the_common_times_with_gaps() -> None:
    out = one({"q": [found(1, 2, queue="jobs"), found(7, end=955, queue="old")]}, panel("q"))
    assert [(series.name, series.values) for series in out.series] == [
        ("jobs", [None, None, None, 1, 2]),
        ("old", [None, 7, None, None, None]),
    ]
    assert (out.status, out.note, out.age_s) == ("ok", "", 0)


def test_what_json_cannot_say_becomes_a_gap() -> None:
    out = one({"q": [found(1, NAN, float("inf"), -2, 3)]}, panel("q"))
    assert out.series[0].values == [1, None, None, -2, 3]


def test_samples_outside_the_window_are_left_out() -> None:
    assert one({"q": [found(9, 1, 2, 3, 4, 5, 9, end=1015)]}, panel("q")).series[0].values == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("legend", "labels", "name"),
    [
        ("{{queue}} jobs", {"queue": "dlq"}, "dlq jobs"),
        ("{{ missing }} p95", {"queue": "dlq"}, "p95"),
        ("", {"__name__": "up", "job": "api"}, 'up{job="api"}'),
        ("__auto", {"job": "api"}, '{job="api"}'),
        ("", {"__name__": "up"}, "up"),
        ("", {}, "A panel"),
    ],
)
def test_names_of_series(legend: str, labels: dict[str, str], name: str) -> None:
    shown = panel(targets=(Target("A", "q", legend),))
    assert one({"q": [Found(labels, found(1).samples)]}, shown).series[0].name == name


@pytest.mark.parametrize(("value", "level"), [(0, "ok"), (49.9, "ok"), (50, "warning"), (100, "critical")])
def test_a_stat_has_its_last_value_and_what_the_threshold_says(value: float, level: str) -> None:
    steps = (Threshold(None, "green"), Threshold(50, "orange"), Threshold(100, "red"))
    out = one({"q": [found(3, value, NAN)]}, panel("q", type="stat", thresholds=steps))
    assert (out.kind, out.value, out.level) == ("stat", value, level)


def test_a_stat_without_a_value_has_no_level() -> None:
    out = one({"q": []}, panel("q", type="stat", thresholds=(Threshold(None, "red"),)))
    assert (out.value, out.level, out.status) == (None, "none", "empty")


def test_no_series_is_said() -> None:
    out = one({"q": []}, panel("q"))
    assert (out.status, out.note) == ("empty", "No series: nothing reports what this panel asks for.")


def test_a_quantile_of_nothing_is_alive_but_empty() -> None:
    out = one({"q": [found(NAN, NAN)]}, panel("q"))
    assert (out.status, out.note, out.age_s) == ("empty", "Nothing to measure in this range.", 0)


@pytest.mark.parametrize(("end", "status"), [(1000, "ok"), (955, "ok"), (940, "stale")])
def test_a_series_that_ended_is_stale_after_a_minute(end: int, status: str) -> None:
    out = one({"q": [found(5, end=end)]}, panel("q"))
    assert (out.status, out.age_s) == (status, 1000 - end)
    assert out.note == ("The last sample is 1 min old." if status == "stale" else "")


def test_one_live_series_keeps_a_panel_fresh() -> None:
    assert one({"q": [found(5, end=940), found(5)]}, panel("q")).status == "ok"


def test_a_failed_query_says_why_and_the_others_are_drawn() -> None:
    out = one({"q": [found(1)], "bad": QueryFailed("parse error")}, panel("q", "bad"))
    assert (out.status, out.note, len(out.series)) == ("error", "query B: parse error", 1)


def test_one_cause_is_said_once() -> None:
    assert one({"q": AWAY, "r": AWAY}, panel("q", "r")).note == str(AWAY)


def test_an_unknown_variable_and_an_unknown_kind_of_panel_are_errors() -> None:
    assert one({}, panel("up{job='$job'}")).note == "query A: the variable $job is not known here"
    table = one({}, panel("q", type="table"))
    assert (table.kind, table.status) == ("unknown", "error")
    assert "'table'" in table.note


def test_only_the_largest_series_are_kept_in_their_order() -> None:
    many = [found(float(number % 30), queue=str(number)) for number in range(MAX_SERIES + 10)]
    out = one({"q": many}, panel("q"))
    assert [series.name for series in out.series] == [str(number) for number in range(10, MAX_SERIES + 10)]
    assert out.hidden_series == 10


def test_the_whole_board_is_ok_partial_or_unavailable() -> None:
    well, bad, away = panel("q", id=1), panel("bad", id=2), panel("away", id=3)
    answers: Answers = {"q": [found(1)], "bad": QueryFailed("parse error"), "away": AWAY}
    assert (board(answers, well).status, board(answers, well).note) == ("ok", "")
    assert board(answers, well, away).status == "partial"
    assert board(answers, bad).status == "partial"
    mixed = board(answers, well, bad, away)
    assert (mixed.status, mixed.note) == ("partial", "2 of 3 panels failed.")
    gone = board(answers, bad, away)
    assert (gone.status, gone.note) == ("unavailable", f"Monitoring is unavailable: {AWAY}.")


def test_what_is_nothing_but_zeros_comes_last() -> None:
    series = [found(0, 0, queue="a"), found(0, 2, queue="b"), found(NAN, NAN, queue="c"), found(1, 0, queue="d")]
    drawn = one({"x": series}, panel("x")).series
    assert [each.name for each in drawn] == ["b", "d", "a", "c"]
    stat = one({"x": [found(0), found(3)]}, panel("x", type="stat"))
    assert stat.value == 0, "a stat is its first series, whatever that is"


def test_what_cannot_be_asked_is_not_quiet() -> None:
    class Away(Answering):
        async def rules(self) -> list[Any]:
            raise AWAY

    shown = Definition("Board", 15, (panel("x"),), (Annotation("Alerts", "y", "", "red"),))
    out = asyncio.run(dashboard(shown, Away({"x": [found(1)], "y": AWAY}), SHOWN, "1h"))
    assert (out.firing, out.firing_note) == (None, str(AWAY))
    assert (out.events, out.events_note) == ([], str(AWAY))
    assert out.status == "ok", "the panels have their values"


def test_every_panel_of_this_project_is_asked_all_queries_at_once() -> None:
    definition = read_definition(DASHBOARD_FILE)
    queries = sum(len(shown.targets) for shown in definition.panels) + len(definition.annotations) + 1

    class Together:
        """Answers once everything was asked."""

        def __init__(self) -> None:
            self.everyone = asyncio.Barrier(queries)

        async def ask(self, expr: str, _shown: Window) -> list[Found]:
            assert "$" not in expr
            await asyncio.wait_for(self.everyone.wait(), 10)
            return [found(1)]

        async def rules(self) -> list[Any]:
            await asyncio.wait_for(self.everyone.wait(), 10)
            return []

    async def look() -> DashboardOut:
        return await dashboard(definition, Together(), SHOWN, "1h")

    out = asyncio.run(look())
    assert [shown.status for shown in out.panels] == ["ok"] * 18
    assert out.times == [940, 955, 970, 985, 1000]


FOLDED = (
    panel("q", title="all"),
    panel("a", id=2, row="Bot"),
    panel("b", id=3, row="Bot"),
    panel("c", id=4, row="Else"),
)


@pytest.mark.parametrize(
    ("answers", "shown", "status"),
    [
        ({"q": [found(1)], "a": [], "b": [], "c": []}, [1], "ok"),
        ({"q": [found(1)], "a": [], "b": [found(0)], "c": []}, [1, 2, 3], "ok"),
        ({"q": [found(1)], "a": [], "b": [found(7, end=900)], "c": []}, [1, 2, 3], "ok"),
        ({"q": [], "a": [], "b": [], "c": []}, [1], "ok"),
        # Whether there is such a thing is not known: that is not the same as none.
        ({"q": [found(1)], "a": [], "b": QueryFailed("it is wrong"), "c": []}, [1, 2, 3], "partial"),
        ({"q": AWAY, "a": AWAY, "b": AWAY, "c": AWAY}, [1], "unavailable"),
    ],
)
def test_a_folded_row_is_there_where_anything_reports_it(answers: Answers, shown: list[int], status: str) -> None:
    out = board(answers, *FOLDED)
    assert ([each.id for each in out.panels], out.status) == (shown, status)
