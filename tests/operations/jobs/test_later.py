"""Times that operators type, and what is said of jobs for later."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.seen import Made, made, refusal, whole
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report
from tradebot_ops.operations.jobs import later
from tradebot_ops.progress import OnProgress
from tradebot_ops.settings import load_settings

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
MADE = {
    "name": "morning",
    "type": "canary",
    "version": 1,
    "payload": {},
    "cron": "30 6 * * 1-5",
    "zone": "UTC",
    "paused": False,
    "by": "anna",
    "created_at": "2026-11-20T08:00:00Z",
    "next_at": "2026-11-30T06:30:00Z",
    "last_at": None,
    "last_job": None,
    "missed": 0,
    "notify": None,
}


class Api:
    def __init__(self, *schedules: dict[str, Any]) -> None:
        self.known, self.asked = list(schedules), list[Any]()

    def submit(
        self, job_type: str, payload: dict[str, Any], not_before: str | None = None, notify: str | None = None
    ) -> dict[str, Any]:
        self.asked.append((job_type, payload, not_before) + ((notify,) if notify else ()))
        return {"id": "j1", "not_before": not_before}

    def put_schedule(self, name: str, **fields: Any) -> dict[str, Any]:
        self.asked.append((name, fields))
        return MADE | {"name": name}

    def schedules(self) -> list[dict[str, Any]]:
        return self.known

    def pause_schedule(self, name: str, *, paused: bool) -> dict[str, Any]:
        self.asked.append((name, paused))
        return MADE | {"name": name, "paused": paused}

    def remove_schedule(self, name: str) -> None:
        self.asked.append(name)


def ops_with(api: Api, tmp_path: Path) -> Ops:
    settings = load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(tmp_path), "HOME": str(tmp_path)}, tmp_path)
    ops = Ops(settings, StubEngine("demo"), lambda: NOW)
    ops.__dict__["api"] = api
    return ops


def said(report: Any) -> str:
    return str(report.sections[0].lines[0])


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("18:30", "UTC", "2026-11-27T18:30:00+00:00"),
        ("09:30", "UTC", "2026-11-28T09:30:00+00:00"),
        ("09:30", "America/New_York", "2026-11-27T14:30:00+00:00"),
        ("90m", "UTC", "2026-11-27T13:30:00+00:00"),
        ("1d", "Europe/Zurich", "2026-11-28T12:00:00+00:00"),
        ("2026-11-28T09:30", "UTC", "2026-11-28T09:30:00+00:00"),
        ("2026-11-28T09:30", "Europe/Zurich", "2026-11-28T08:30:00+00:00"),
        ("2026-11-28T09:30+05:00", "Europe/Zurich", "2026-11-28T04:30:00+00:00"),
        ("2026-11-28", "UTC", "2026-11-28T00:00:00+00:00"),
    ],
)
def test_a_time_to_come(text: str, zone: str, expected: str) -> None:
    assert later.moment(text, zone, NOW).isoformat() == expected


@pytest.mark.parametrize("text", ["", "soon", "25:00", "2026-11-27", "2026-11-27T11:59", "0s", "-5m", "99999999y"])
def test_what_is_no_time_to_come(text: str) -> None:
    with pytest.raises(OpsError) as raised:
        later.moment(text, "UTC", NOW)
    assert raised.value.code == "TB-0244"


@pytest.mark.parametrize("zone", ["", "Nowhere", "../../etc/passwd", "\x00"])
def test_what_is_no_zone(zone: str) -> None:
    with pytest.raises(OpsError, match="is not a time zone"):
        later.moment("18:30", zone, NOW)


def test_a_job_for_later_says_when_it_starts(tmp_path: Path) -> None:
    api = Api()
    report = later.submit(ops_with(api, tmp_path), "canary", ["n=1"], later.Wishes(at="90m"), wait=False)
    assert api.asked == [("canary", {"n": 1}, "2026-11-27T13:30:00+00:00")]
    assert said(report) == "Job j1 starts at 2026-11-27 13:30:00 UTC, in 90 min."


@pytest.mark.parametrize(("name", "expected"), [(None, "canary"), ("morning", "morning")])
def test_a_schedule_is_named_after_its_type_unless_it_has_a_name(
    tmp_path: Path, name: str | None, expected: str
) -> None:
    api = Api()
    when = later.Wishes(every="30 6 * * 1-5", zone="Europe/Zurich", name=name)
    report = later.submit(ops_with(api, tmp_path), "canary", [], when, wait=False)
    fields: dict[str, Any] = {
        "type": "canary",
        "payload": {},
        "cron": "30 6 * * 1-5",
        "zone": "Europe/Zurich",
        "notify": None,
    }
    assert api.asked == [(expected, fields)]
    assert said(report) == f"The schedule {expected} submits canary next at 2026-11-30 06:30:00 UTC, in 2 d."


@pytest.mark.parametrize(
    ("when", "wait", "named"),
    [
        (later.Wishes(at="18:30", every="* * * * *"), False, "--at and --every do"),
        (later.Wishes(at="18:30"), True, "--at and --wait do"),
        (later.Wishes(every="* * * * *"), True, "--every and --wait do"),
    ],
)
def test_one_time_alone(tmp_path: Path, when: later.Wishes, wait: bool, named: str) -> None:
    with pytest.raises(OpsError, match=named):
        later.submit(ops_with(Api(), tmp_path), "canary", [], when, wait=wait)


def test_schedules_in_a_table_or_how_to_make_one(tmp_path: Path) -> None:
    paused = MADE | {"name": "night", "paused": True, "missed": 3, "last_at": "2026-11-26T22:00:00Z"}
    rows = later.schedules(ops_with(Api(MADE, paused), tmp_path)).sections[0].tables[0].rows
    assert [(row[0], row[4], row[5], row[7]) for row in rows] == [
        ("morning", "2026-11-30 06:30:00 UTC", "", ""),
        ("night", "paused", "2026-11-26 22:00:00 UTC", "3"),
    ]
    assert said(later.schedules(ops_with(Api(), tmp_path))) == later.NONE


def test_a_known_schedule_is_paused_resumed_and_removed_and_another_is_not(tmp_path: Path) -> None:
    api = Api(MADE)
    ops = ops_with(api, tmp_path)
    assert "is paused" in said(later.pause(ops, "morning", paused=True))
    assert "next at" in said(later.pause(ops, "morning", paused=False))
    assert "is removed" in said(later.remove(ops, "morning"))
    assert api.asked == [("morning", True), ("morning", False), "morning"]
    with pytest.raises(OpsError, match="Did you mean `morning`") as raised:
        later.remove(ops, "mornin")
    assert raised.value.code == "TB-0243"


@pytest.mark.parametrize("every", [None, "* * * * *"])
def test_a_wish_that_cannot_be_is_refused_before_anything_is_submitted(tmp_path: Path, every: str | None) -> None:
    wishes = later.Wishes(every=every, notify="always")
    with pytest.raises(OpsError) as raised:
        later.submit(ops_with(api := Api(), tmp_path), "canary", [], wishes, wait=False)
    assert (raised.value.code, api.asked) == ("TB-0246", [])


def test_a_schedule_keeps_the_wish_for_each_of_its_jobs_and_says_whom_it_reaches(tmp_path: Path) -> None:
    api = Api(MADE | {"notify": "dead"})
    ops = ops_with(api, tmp_path)
    report = later.submit(ops, "canary", [], later.Wishes(every="30 6 * * 1-5", notify="dead"), wait=False)
    assert api.asked[0][1]["notify"] == "dead"
    assert report.warnings[0].startswith("Nobody is notified until Alertmanager answers: ")
    assert later.schedules(ops).sections[0].tables[0].rows[0][8] == "dead"


def test_all_that_is_said(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    night = MADE | {"name": "night", "missed": 3, "last_at": "2026-11-26T22:00:00Z", "last_job": "7d0c0000-0000-1"}
    ops = ops_with(Api(MADE, night | {"paused": True, "notify": "dead"}), tmp_path)
    said = [
        later.schedules(ops),
        later.schedules(ops_with(Api(), tmp_path)),
        later.submit(ops, "canary", [], later.Wishes(at="90m"), wait=False),
        later.submit(ops, "canary", [], later.Wishes(every="30 6 * * 1-5"), wait=False),
        later.pause(ops, "night", paused=True),
        later.pause(ops, "night", paused=False),
        later.remove(ops, "night"),
    ]
    assert "\n\n".join(map(whole, said)) == snapshot


def test_the_audit_log_has_each_change_without_a_lease(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def act(heard: OnProgress) -> None:
        ops = ops_with(Api(MADE), tmp_path)
        for wishes in (later.Wishes(at="90m"), later.Wishes(every="30 6 * * 1-5")):
            later.submit(ops, "canary", [], wishes, wait=False, on_progress=heard)
        later.pause(ops, "morning", paused=True, on_progress=heard)
        later.pause(ops, "morning", paused=False, on_progress=heard)
        later.remove(ops, "morning", heard)

    assert made(monkeypatch, act) == [
        Made(("jobs submit", "canary"), leased=False),
        Made(("jobs submit", "canary"), leased=False),
        Made(("schedules pause", "morning"), leased=False),
        Made(("schedules resume", "morning"), leased=False),
        Made(("schedules remove", "morning"), leased=False),
    ]


def test_a_job_without_a_time_is_submitted_now_and_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def submit(ops: Ops, job_type: str, pairs: list[str], **given: Any) -> Report:
        asked.append((job_type, pairs, given))
        return Report(data={"id": "j1"})

    monkeypatch.setattr("tradebot_ops.operations.jobs.jobs.submit", submit)
    watch, heard = list[Any](), list[Any]()
    report = later.submit(
        ops_with(Api(), tmp_path),
        "canary",
        ["n=1"],
        later.Wishes(),
        wait=True,
        watch=watch.append,
        on_progress=heard.append,
    )
    given = {"notify": None, "wait": True, "watch": watch.append, "on_progress": heard.append}
    assert asked == [("canary", ["n=1"], given)]
    assert (report.data, report.warnings) == ({"id": "j1"}, ())


def test_each_refusal_says_what_to_type(tmp_path: Path) -> None:
    ops = ops_with(Api(MADE), tmp_path)
    hint = '--at 18:30, --at 90m, --at 2026-11-28T09:30, or --every "30 6 * * 1-5"'
    both = later.Wishes(at="18:30", every="* * * * *")
    for act, expected in (
        (
            lambda: later.submit(ops, "canary", [], both, wait=True),
            ("TB-0244", "--at and --every and --wait do not go together.", hint),
        ),
        (lambda: later.moment("soon", "UTC", NOW), ("TB-0244", "'soon' is not a time.", hint)),
        (
            lambda: later.moment("2026-11-27T12:30", "Europe/Zurich", NOW),
            ("TB-0244", "2026-11-27 11:30:00 UTC is past.", hint),
        ),
        (
            lambda: later.moment("18:30", "Zurich", NOW),
            ("TB-0244", "'Zurich' is not a time zone.", "--zone Europe/Zurich, --zone America/New_York"),
        ),
        (
            lambda: later.remove(ops, "mornin"),
            ("TB-0243", "There is no schedule 'mornin'. Did you mean `morning`?", "tradebot schedules list"),
        ),
        (lambda: later.remove(ops, "x"), ("TB-0243", "There is no schedule 'x'.", "tradebot schedules list")),
    ):
        with pytest.raises(OpsError) as caught:
            act()
        assert refusal(caught.value) == expected
