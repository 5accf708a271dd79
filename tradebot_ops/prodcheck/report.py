"""A run as a report: rows by stage, what to do about each failure, the summary. Pure."""

from collections.abc import Collection, Sequence
from typing import Any

from tradebot_ops.errors import ExitCode
from tradebot_ops.model import Finding, Level, Report, Section, Table
from tradebot_ops.prodcheck.check import Check, Stage
from tradebot_ops.prodcheck.history import Change, Past
from tradebot_ops.prodcheck.runner import Result, Run, State
from tradebot_ops.text.quantities import quantity

#: What ``--fail-on`` counts as a failure of the run.
FAIL_ON = {
    "error": frozenset({State.ERROR}),
    "fail": frozenset({State.ERROR, State.FAIL}),
    "warn": frozenset({State.ERROR, State.FAIL, State.WARN}),
}
_LEVELS = {
    State.PASS: Level.PASS,
    State.WARN: Level.WARN,
    State.FAIL: Level.FAIL,
    State.ERROR: Level.ERROR,
    State.SKIP: Level.SKIP,
    State.WAIVED: Level.INFO,
}
_ORDER = (State.ERROR, State.FAIL, State.WARN, State.WAIVED)


def exit_code(run: Run, *, fail_on: str = "fail", strict: bool = False, min_score: float = 0.0) -> ExitCode:
    """0, or 1 for something at or above ``fail_on`` or a score below ``min_score``; ``strict`` makes warnings 3.

    Each flag decides one thing: ``strict`` never hides a failure, ``min_score`` adds one.
    """
    if any(run.count(state) for state in FAIL_ON[fail_on]):
        return ExitCode.FAILED
    if run.grade != "-" and run.score < min_score:
        return ExitCode.FAILED
    if strict and (run.count(State.WARN) or notes(run)):
        return ExitCode.WARNINGS
    return ExitCode.OK


def notes(run: Run) -> tuple[str, ...]:
    """Problems beside the checks: waivers that waive nothing, stages of which nothing was judged."""
    from tradebot_ops.prodcheck.waivers import unused

    judged = {result.check.id for result in run.results if result.state is not State.SKIP}
    failing = {result.check.id for result in run.results if result.state is State.WAIVED}
    silent = [
        f"Nothing of stage {stage.number} ({stage.title}) could be judged: every check was skipped."
        for stage in dict.fromkeys(result.stage for result in run.results)
        if all(result.state is State.SKIP for result in run.results if result.stage is stage)
    ]
    return (*run.waivers.problems, *unused(run.waivers, failing, judged), *silent)


def report(
    run: Run, code: ExitCode, *, before: Past | None = None, changed: Sequence[Change] = (), quiet: Collection[str] = ()
) -> Report:
    """The run as a report that ends the process with ``code``. ``quiet`` are warnings of the caller's own."""
    bad = [result for state in _ORDER for result in run.results if result.state is state]
    return Report(
        data=_data(run, before, changed),
        findings=tuple(finding(result) for result in run.results),
        sections=(*_stages(run), *_advice(bad), *_differences(before, changed), _summary(run)),
        warnings=(*notes(run), *quiet),
        failure=code,
        success=code,
        findings_shown=False,
    )


def finding(result: Result) -> Finding:
    """One result in the form that every machine-readable format reads."""
    return Finding(
        _LEVELS[result.state],
        result.check.id,
        result.verdict.message,
        hint=result.hint if result.state in _ORDER else "",
        observed=result.verdict.observed,
        expected=result.verdict.expected,
        evidence=result.verdict.evidence,
        title=result.check.title,
        group=f"{result.stage.number}. {result.stage.title}",
        anchor=result.anchor,
        seconds=result.seconds,
        severity=result.check.severity.name.lower(),
    )


def row(result: Result) -> tuple[str, ...]:
    """The cells of one check: what people read while the run goes on, and afterwards."""
    text = result.verdict.message if result.state is not State.PASS else result.verdict.observed
    if result.waiver:
        text = f"{text} (waived by {result.waiver.owner} until {result.waiver.expires}: {result.waiver.reason})"
    return str(result.state), result.check.id, f"{result.check.title}: {text}" if text else result.check.title


def _stages(run: Run) -> list[Section]:
    sections = []
    for stage in dict.fromkeys(result.stage for result in run.results):
        rows = tuple(row(result) for result in run.results if result.stage is stage)
        title = f"{stage.number}. {stage.title}"
        sections.append(Section(title, tables=(Table(("state", "check", "what was found"), rows),)))
    return sections


def _advice(bad: Sequence[Result]) -> list[Section]:
    lines = [line for result in bad if result.state is not State.WAIVED for line in _what_to_do(result)]
    return [Section("What to do", lines=tuple(lines))] if lines else []


def _what_to_do(result: Result) -> list[str]:
    lines = [f"{str(result.state).upper():5} {result.check.id}  {result.check.title}: {result.verdict.message}"]
    if result.verdict.observed:
        lines.append(f"      observed: {result.verdict.observed}")
    if result.verdict.expected:
        lines.append(f"      expected: {result.verdict.expected}")
    return [*lines, f"      -> {result.hint}"]


def _differences(before: Past | None, changed: Sequence[Change]) -> list[Section]:
    if before is None:
        return []
    since = f"{before.started.astimezone():%Y-%m-%d %H:%M}"
    if not changed:
        return [Section("Changes", lines=(f"Nothing changed since the run of {since}.",))]
    rows = tuple((change.id, change.before or "not judged", change.now) for change in changed)
    return [Section(f"Changes since the run of {since}", tables=(Table(("check", "before", "now"), rows),))]


def _summary(run: Run) -> Section:
    judged = len(run.results) - run.count(State.SKIP)
    others = [
        f"{run.count(state)} {word}"
        for state, word in ((State.FAIL, "failed"), (State.ERROR, "could not be looked at"), (State.WARN, "warn"),
                            (State.WAIVED, "waived"), (State.SKIP, "skipped"))
        if run.count(state)
    ]  # fmt: skip
    line = f"{run.count(State.PASS)} of {judged} passed" + "".join(f", {text}" for text in others) + "."
    score = f"Score {run.score:.0f} of 100, grade {run.grade}, for {run.env}, in {quantity(run.seconds, 's')}."
    return Section("Summary", lines=(line, score))


def _data(run: Run, before: Past | None, changed: Sequence[Change]) -> dict[str, Any]:
    return {
        "started": run.started.isoformat(),
        "started_at": run.started.timestamp(),
        "seconds": round(run.seconds, 3),
        "env": run.env,
        "score": round(run.score, 1),
        "grade": run.grade,
        "counts": {str(state): run.count(state) for state in State},
        "retries": run.retries,
        "checks": [_check_data(result) for result in run.results],
        "changes": None
        if before is None
        else {
            "since": before.started.isoformat(),
            "checks": [{"id": change.id, "before": change.before or None, "now": change.now} for change in changed],
        },
    }


def _check_data(result: Result) -> dict[str, Any]:
    return {
        **declared(result.stage, result.check),
        "state": str(result.state),
        "message": result.verdict.message,
        "skip": str(result.verdict.skip) if result.verdict.skip else None,
        "observed": result.verdict.observed,
        "expected": result.verdict.expected,
        "evidence": result.verdict.evidence,
        "remediation": result.hint if result.state in _ORDER else "",
        "anchor": result.anchor,
        "duration_ms": round(1000 * result.seconds),
        "waiver": {"owner": result.waiver.owner, "reason": result.waiver.reason, "expires": str(result.waiver.expires)}
        if result.waiver
        else None,
    }


def declared(stage: Stage, check: Check) -> dict[str, Any]:
    """Properties of a check that are known before it runs."""
    return {
        "id": check.id,
        "stage": stage.number,
        "title": check.title,
        "severity": check.severity.name.lower(),
        "source": check.source,
        "needs": list(check.needs),
        "fixable": bool(check.fix),
    }
