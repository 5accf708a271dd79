"""The steps of `tradebot prod-check`: choose, run, compare with the run before, remember, report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from tradebot_ops.context import Ops
from tradebot_ops.errors import ExitCode, OpsError
from tradebot_ops.facts.fact import Effect
from tradebot_ops.model import Finding, Report, Section, Table
from tradebot_ops.prodcheck import anchors, fixes, report, waivers
from tradebot_ops.prodcheck.catalogue import Selection, catalogue, find
from tradebot_ops.prodcheck.check import Stage
from tradebot_ops.prodcheck.history import Change, History, Past, changes
from tradebot_ops.prodcheck.runner import RETRY_SLEEP, Options, Result, Run, run, with_dependants
from tradebot_ops.text.quantities import quantity

#: Gets (id, state, title, message) of each check as it ends.
OnRow = Callable[[str, str, str, str], None]
#: Gets the ids of all that will be judged, once.
Watch = Callable[[Sequence[str]], OnRow]


@dataclass(frozen=True)
class Wishes:
    """The flags of `prod-check`, one decision each."""

    selection: Selection = field(default_factory=Selection)
    offline: bool = False
    canary: bool = True
    strict: bool = False
    exit_zero: bool = False
    fail_on: str = "fail"
    min_score: float = 0.0
    retry_timeout: float = 0.0
    retry_sleep: float = RETRY_SLEEP
    diff: bool = False
    fix: bool = False


def prod_check(ops: Ops, wishes: Wishes, watch: Watch) -> Report:
    """Judge the stack. Raises ``OpsError`` TB-0230 for an unknown stage, check, severity or ``--fail-on``, and
    TB-0237 for ``--fix`` with ``--offline``."""
    if wishes.fail_on not in report.FAIL_ON:
        raise OpsError(
            f"'{wishes.fail_on}' is no state to fail on.",
            code="TB-0230",
            hint="Use error, fail or warn: --fail-on warn",
        )
    if wishes.fix and wishes.offline:
        raise OpsError("--fix changes the stack, --offline changes nothing.", code="TB-0237", hint="Give one of them.")
    stages = catalogue()
    done = _run(ops, wishes, stages, watch)
    before, changed, quiet = _remember(ops, done, diff=wishes.diff)
    code = ExitCode.OK
    if not wishes.exit_zero:
        code = report.exit_code(done, fail_on=wishes.fail_on, strict=wishes.strict, min_score=wishes.min_score)
    made = report.report(done, code, before=before, changed=changed, quiet=quiet)
    return replace(made, findings=tuple(_placed(ops, finding) for finding in made.findings))


def _placed(ops: Ops, finding: Finding) -> Finding:
    """With the line that one would edit, where the project has files of its own."""
    return replace(finding, anchor=anchors.resolve(finding.anchor, ops.settings.folder))


def _run(ops: Ops, wishes: Wishes, stages: Sequence[Stage], watch: Watch) -> Run:
    chosen = wishes.selection.choose(stages)
    known = {check.id for stage in stages for check in stage.checks}
    options = Options(_without(wishes), ops.settings.timeout, wishes.retry_timeout, wishes.retry_sleep)
    accepted = waivers.read(ops.settings.waivers, known, ops.clock().date())
    on_row = watch([check.id for check in chosen])

    def on_result(result: Result) -> None:
        on_row(result.check.id, str(result.state), result.check.title, result.verdict.message)

    done = run(ops, stages, chosen, accepted, options, on_result)
    if wishes.fix and (fixed := fixes.apply(ops, done)):
        again = with_dependants([check for check in chosen if check.id in fixed], chosen)
        fresh = ops.with_settings(ops.settings)  # nothing that was opened before the fix
        done = fixes.merged(done, run(fresh, stages, again, accepted, options, on_result))
    return done


def _without(wishes: Wishes) -> frozenset[Effect]:
    if wishes.offline:
        return frozenset({Effect.WRITES, Effect.CANARY, Effect.ALERT})
    return frozenset() if wishes.canary else frozenset({Effect.CANARY})


def _remember(ops: Ops, done: Run, *, diff: bool) -> tuple[Past | None, tuple[Change, ...], tuple[str, ...]]:
    """The run before and what changed, where asked for; a store that fails is a warning, and costs the run nothing."""
    history = History(ops.state.folder)
    before: Past | None = None
    changed: tuple[Change, ...] = ()
    quiet: list[str] = []
    try:
        if diff:
            before = history.last()
            changed = changes(before, done) if before else ()
            if before is None:
                quiet.append("There is no earlier run to compare with.")
        history.add(done)
    except OpsError as error:
        quiet.append(f"This run is not remembered: {error.message} {error.hint}")
    return before, changed, tuple(quiet)


def list_(ops: Ops) -> Report:
    """Every check, without running any."""
    del ops
    rows = tuple(
        (check.id, check.severity.name.lower(), check.title, check.source)
        for stage in catalogue()
        for check in stage.checks
    )
    data = [report.declared(stage, check) for stage in catalogue() for check in stage.checks]
    table = Table(("check", "severity", "title", "source"), rows)
    return Report(data=data, sections=(Section(tables=(table,)),))


def explain(ops: Ops, id_: str) -> Report:
    """Explain one check: what it proves, why that matters, what it asks, and what to do when it fails."""
    del ops
    stage, check = find(id_)
    facts = ", ".join(fact.name for fact in check.asks) or "nothing"
    lines = (
        check.why,
        "",
        f"stage     {stage.number}. {stage.title}: {stage.promise}",
        f"severity  {check.severity.name.lower()}",
        *(f"in {env:6} at most {level}" for env, level in check.at_most.items()),
        f"source    {check.source}",
        f"asks      {facts}",
        *([f"needs     {', '.join(check.needs)}"] if check.needs else []),
        f"edit      {check.anchor}",
        f"type      {check.remedy}",
    )
    data = {**report.declared(stage, check), "why": check.why, "facts": [fact.name for fact in check.asks],
            "anchor": check.anchor, "remediation": check.remedy}  # fmt: skip
    return Report(data=data, sections=(Section(f"{check.id}  {check.title}", lines=lines),))


def history(ops: Ops, limit: int) -> Report:
    """Earlier runs, newest first."""
    runs = History(ops.state.folder).runs(limit)
    rows = tuple(
        (_minute(past), past.env, f"{past.score:.0f}", past.grade, quantity(past.seconds, "s")) for past in runs
    )
    data = [
        {"started": past.started.isoformat(), "env": past.env, "score": past.score, "grade": past.grade,
         "seconds": past.seconds}
        for past in runs
    ]  # fmt: skip
    lines = () if runs else ("There is no run yet.",)
    tables = (Table(("started", "env", "score", "grade", "took"), rows),) if runs else ()
    return Report(data=data, sections=(Section(lines=lines, tables=tables),))


def _minute(past: Past) -> str:
    return f"{past.started.astimezone():%Y-%m-%d %H:%M}"


#: One letter a state, so that twenty runs fit a line.
_SIGNS = {"pass": ".", "warn": "w", "fail": "F", "error": "E", "skip": "-", "waived": "~", "": " "}


def trend(ops: Ops, limit: int) -> Report:
    """The checks that were not always fine, with their course over the newest runs, oldest first."""
    courses = History(ops.state.folder).trend(limit)
    rows = tuple((id_, "".join(_SIGNS[state] for state in states), states[-1]) for id_, states in courses.items())
    legend = "Oldest run first: . pass, w warn, F fail, E could not look, - skip, ~ waived."
    table = Table(("check", "course", "now"), rows)
    sections = (Section(lines=(legend,), tables=(table,)),) if rows else (Section(lines=("Nothing was ever wrong.",)),)
    return Report(data=courses, sections=sections)
