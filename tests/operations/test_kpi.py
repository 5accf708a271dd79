"""Key figures: what is met, missed, unknown, and said to be so."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from tests.operations.seen import whole
from tradebot_ops.facts.fact import NotHere, Skip, Unknown
from tradebot_ops.facts.metrics.kpi import Measured, Raised, Worked
from tradebot_ops.operations import kpi
from tradebot_ops.operations.kpi import Figure, judge, line

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MONTH = 30 * 86_400.0
GOOD = Measured(MONTH, p95_s=0.2, queue=12.0, busy=0.7, up=0.9999)
WORK = Worked(90, 10, 36_000.0)
AWAY = Unknown("Postgres does not run.")


def raised(
    heard_s: float = 30, ended_s: float | None = 200, severity: str = "critical", right: bool | None = None
) -> Raised:
    ended = None if ended_s is None else NOON + timedelta(seconds=ended_s)
    return Raised("RedisDown", severity, NOON, NOON + timedelta(seconds=heard_s), ended, 60.0, right)


def figures(**changes: object) -> dict[str, Figure]:
    given = {"alerts": (raised(),), "jobs": WORK, "measured": GOOD} | changes
    return {each.name: each for each in judge(given["alerts"], given["jobs"], given["measured"], MONTH)}  # type: ignore[arg-type]


def test_a_good_month() -> None:
    found = figures()
    assert {name: each.met for name, each in found.items()} == {
        "time to detect": True,
        "time to resolve": True,
        "time between failures": None,
        "API p95": True,
        "queue depth": True,
        "worker utilisation": True,
        "uptime": True,
        "jobs an hour": None,
        "alert accuracy": None,
        "time to diagnose": None,
    }
    assert found["time to detect"].value == 90  # from the first symptom: the rule waited for a minute
    assert found["jobs an hour"].value == 10
    assert line(list(found.values())) == "Nothing missed. 6 met, 2 without data."


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"alerts": (raised(heard_s=300),)}, "time to detect"),
        ({"alerts": (raised(), raised(ended_s=9000))}, "time to resolve"),
        ({"measured": replace(GOOD, p95_s=1.5)}, "API p95"),
        ({"measured": replace(GOOD, queue=101.0)}, "queue depth"),
        ({"measured": replace(GOOD, busy=0.95)}, "worker utilisation"),
        ({"measured": replace(GOOD, up=0.99)}, "uptime"),
    ],
)
def test_what_is_missed_is_named(changes: dict[str, object], name: str) -> None:
    found = figures(**changes)
    assert [each.name for each in found.values() if each.met is False] == [name]
    assert line(list(found.values())).startswith(f"Missed: {name}. ")


def test_an_alert_that_lasts_is_told_and_not_averaged() -> None:
    found = figures(alerts=(raised(), raised(ended_s=None)))["time to resolve"]
    assert (found.value, found.note) == (200, "1 ended, 1 not yet")


@pytest.mark.parametrize(
    ("words", "met", "value", "note"),
    [
        ([True] * 19 + [False], False, 0.95, "20 of 20 alerts acknowledged, 1 false"),
        ([True] * 20 + [False], True, 20 / 21, "21 of 21 alerts acknowledged, 1 false"),
        ([True, None, None], True, 1.0, "1 of 3 alerts acknowledged, 0 false"),
        ([None], None, None, "No alert was acknowledged. tradebot alerts ack ALERT"),
        ([], None, None, "No alert was raised."),
    ],
)
def test_accuracy_counts_what_people_judged(
    words: list[bool | None], met: bool | None, value: float | None, note: str
) -> None:
    found = figures(alerts=tuple(raised(severity="info", right=word) for word in words))["alert accuracy"]
    assert (found.met, found.value, found.note) == (met, value, note)


def test_notes_are_no_failures() -> None:
    assert figures(alerts=(raised(severity="info"),))["time between failures"].value is None


def test_an_idle_stack_is_not_blamed_for_it() -> None:
    assert figures(measured=replace(GOOD, busy=0.01))["worker utilisation"].met is None


def test_a_source_that_is_away_costs_its_own_figures_alone() -> None:
    found = figures(alerts=AWAY, jobs=AWAY)
    assert {name for name, each in found.items() if each.note == AWAY.why} == {
        "time to detect", "time to resolve", "time between failures", "jobs an hour", "alert accuracy",
    }  # fmt: skip
    assert found["uptime"].met is True
    assert figures(measured=NotHere(Skip.PROFILE, "No monitoring."))["uptime"].note == "No monitoring."


@given(
    st.lists(
        st.builds(raised, st.floats(0, 1e6), st.none() | st.floats(0, 1e6), right=st.none() | st.booleans()),
        max_size=5,
    ).map(tuple)
    | st.just(AWAY),
    st.builds(Worked, st.integers(0, 9), st.integers(0, 9), st.none() | st.floats(0, 1e7)) | st.just(AWAY),
    st.builds(Measured, st.floats(0, MONTH), *[st.none() | st.floats(0, 1e9)] * 4) | st.just(AWAY),
)
def test_what_has_no_value_says_why_and_is_neither_met_nor_missed(alerts: object, jobs: object, seen: object) -> None:
    found = figures(alerts=alerts, jobs=jobs, measured=seen)
    assert list(found) == list(figures())
    for each in found.values():
        assert each.shown
        assert each.value is not None or (each.met is None and each.note)


EDGE = Measured(MONTH, p95_s=1.0, queue=100.0, busy=0.8, up=0.999)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"alerts": (raised(heard_s=60, ended_s=300), raised(ended_s=None, severity="performance")), "measured": EDGE},
        {"alerts": (raised(heard_s=60.5, right=False),), "measured": replace(EDGE, queue=100.5, busy=0.81, up=0.99901)},
        {"alerts": (), "jobs": Worked(0, 0, 10.0), "measured": Measured(600.0, None, None, None, None)},
        {"alerts": (raised(severity="info"),), "jobs": Worked(3, 1, None), "measured": replace(GOOD, busy=0.6)},
        {"alerts": AWAY, "jobs": Worked(3, 1, 1800.0), "measured": replace(GOOD, busy=0.59)},
        {"jobs": AWAY, "measured": NotHere(Skip.PROFILE, "No monitoring.")},
        {"alerts": (replace(raised(), heard=None), replace(raised(), pending_s=None))},
    ],
    ids=["good", "edges", "beyond", "empty", "notes", "alerts away", "others away", "unheard"],
)
def test_every_figure_as_it_is_seen(changes: dict[str, object], snapshot: SnapshotAssertion) -> None:
    found = list(figures(**changes).values())
    assert [line(found), *(repr(each) for each in found)] == snapshot


def test_a_report_of_a_week(monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion) -> None:
    """All three are asked at once, for the same time."""
    answers: dict[str, object] = {"alerts": (raised(),), "jobs": WORK, "measured": GOOD}
    asked: list[object] = []

    class Answers:
        def __init__(self, ops: object) -> None:
            assert ops is the_ops

        def start(self, facts: object) -> None:
            asked.append(facts)

        def value(self, fact: tuple[str, float]) -> object:
            return answers[fact[0]]

    the_ops: Any = object()
    monkeypatch.setattr(kpi, "Facts", Answers)
    for name in answers:
        monkeypatch.setattr(f"tradebot_ops.facts.metrics.kpi.{name}", lambda length, name=name: (name, length))
    seen = [whole(kpi.report(the_ops, "7d"))]
    answers["measured"] = AWAY
    seen.append(whole(kpi.report(the_ops, "1h")).splitlines()[3])
    assert asked[0] == tuple((name, 7 * 86_400.0) for name in answers)
    assert "\n\n".join(seen) == snapshot
