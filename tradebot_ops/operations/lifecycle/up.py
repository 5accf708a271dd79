"""Bring the stack up and prove it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tradebot_ops.context import Ops
from tradebot_ops.debian.stand_ins import STAND_INS
from tradebot_ops.errors import ExitCode, ImageMissing, OpsError
from tradebot_ops.model import Finding, Level, Report, Section
from tradebot_ops.operations import secrets
from tradebot_ops.operations.change import change
from tradebot_ops.operations.converge import changed_keys, mounted_files
from tradebot_ops.operations.converge.engine_view import EngineView
from tradebot_ops.operations.converge.execute import converge
from tradebot_ops.operations.converge.judgement import (
    Judgement,
    facts_of,
    judge,
    outdated_sentence,
    outranked_sentences,
)
from tradebot_ops.operations.converge.plan import changes, summary
from tradebot_ops.operations.converge.reload import answers_of, check_files
from tradebot_ops.operations.images import build as images
from tradebot_ops.operations.jobs import canary, sample_data
from tradebot_ops.operations.lifecycle import desired_workers
from tradebot_ops.operations.lifecycle.status import status
from tradebot_ops.operations.monitoring import configuration
from tradebot_ops.operations.select import chosen_services, with_dependencies
from tradebot_ops.operations.tls import certificates
from tradebot_ops.operations.trade import open_positions
from tradebot_ops.progress import OnProgress, Phase, ProgressEvent
from tradebot_ops.records import Absence, ChosenProfiles, UnavailableServices, UsedEngines
from tradebot_ops.stack.plan import Action
from tradebot_ops.text.sentences import agreed

NEXT = (
    "  tradebot jobs submit backtest symbol=AAPL strategy=sma_cross fast=10 slow=30 --wait",
    "  tradebot status   tradebot logs -f   tradebot scale workers 4   tradebot down",
)


@dataclass(frozen=True)
class Done:
    """Result of an `up`: sentences for people, what was found and the canary's job for machines."""

    found: Judgement
    lines: tuple[str, ...]
    warnings: tuple[str, ...]
    failed: Mapping[str, OpsError] = field(default_factory=dict)
    absent: tuple[Finding, ...] = ()
    proof: canary.Proof | None = None


def up(
    ops: Ops,
    services: Sequence[str],
    on_progress: OnProgress,
    *,
    prove: bool = True,
    remove_orphans: bool = False,
    build: bool = False,
    dependencies: bool = True,
) -> Report:
    """Make the world match the stack and prove it: every replica answers, and a canary job goes all the way.

    With ``build`` the stack's own images are built first, and replicas of changed ones recreated. Without
    ``dependencies`` the named services alone. Raises ``OpsError``; whatever was made until then is left for the
    next `up` or `down`.
    """
    with change(ops, "up", *services, on_progress=on_progress):
        certificates.ready(ops)
        configuration.ensure(ops)
        wanted = chosen_services(ops.stack, services)
        if dependencies:
            wanted = with_dependencies(ops.stack, wanted)
        made = secrets.ensure(ops.stack, ops.state)
        found = _prepare(ops, wanted, on_progress, build=build, remove_orphans=remove_orphans)
        done = _carry_out(ops, wanted, found, on_progress)
        if made:
            done = replace(done, lines=(agreed(f"Generated {len(made)} secrets in {ops.state.secrets}."), *done.lines))
        if prove and _can_work(ops, wanted):
            prices = sample_data.load_once(ops, on_progress)
            proof = canary.run(ops, on_progress)
            sentences = [sentence for sentence in (prices, proof.sentence) if sentence]
            done = replace(done, lines=(*done.lines, *sentences), proof=proof)
    return _report(ops, wanted, done)


def _prepare(
    ops: Ops, wanted: Collection[str], on_progress: OnProgress, *, build: bool, remove_orphans: bool
) -> Judgement:
    """Networks, volumes and images first; returns what is to be done on top of them."""
    ops.engine.prepare(ops.stack, lambda service, line: on_progress(ProgressEvent(service, Phase.PREPARING, line)))
    ops.state.store(ops.state.load(UsedEngines).with_last(ops.engine.name))
    open_positions.remember(ops)
    facts = facts_of(ops.engine, ops.stack)
    if images.supply(ops, wanted, facts, on_progress, again=build):
        facts = facts_of(ops.engine, ops.stack)
    found = judge(ops, ops.engine, wanted, facts=facts, remove_orphans=remove_orphans)
    _check_what_is_reloaded(ops, found)
    return found


def _carry_out(ops: Ops, wanted: Collection[str], found: Judgement, on_progress: OnProgress) -> Done:
    """Do it, and remember what is in force from now on."""
    planned = found.plan
    outdated = desired_workers.outdated(ops, wanted, planned)
    if outdated:
        desired_workers.get_ready()
    outcome = converge(
        ops.stack, planned.steps, EngineView(ops.engine, ops.settings.timeout), answers_of(ops), on_progress
    )
    mounted_files.remember(ops, wanted)
    changed_keys.remember(ops, wanted)
    absent = _newly_absent(ops, outcome.unavailable)
    _remember(ops, wanted, outcome.unavailable)
    warnings = desired_workers.publish(ops, ops.stack.services["worker"].replicas) if outdated else ()
    gone = {*outcome.unavailable, *outcome.failed}
    steps = [step for step in planned.changes if step.service not in gone]
    lines = (summary(steps, "Changed"),) if steps or not outcome.failed else ()
    if older := outdated_sentence(found.outdated):
        warnings = (*warnings, older)
    found = replace(found, unavailable={name: Absence() for name in outcome.unavailable})
    return Done(found, (*lines, *outranked_sentences(ops)), warnings, outcome.failed, absent)


def _check_what_is_reloaded(ops: Ops, found: Judgement) -> None:
    """A rule with an error is reported here, with its line: Prometheus would go on with the old ones silently."""
    reloaded = {step.service for step in found.changes if step.action is Action.RELOAD}
    if reloaded & {"prometheus", "alertmanager"}:
        check_files(ops)


def _remember(ops: Ops, wanted: Collection[str], missing: Mapping[str, OpsError]) -> None:
    """For `status`: which services were chosen, and which cannot run here."""
    ops.state.store(ChosenProfiles(ops.profiles))
    others = {name: reason for name, reason in ops.unavailable.items() if name not in wanted}
    found = {name: Absence(error.message, _hint(name, error)) for name, error in missing.items()}
    ops.state.store(UnavailableServices(others | found))


def _newly_absent(ops: Ops, missing: Mapping[str, OpsError]) -> tuple[Finding, ...]:
    """A warning for each that cannot run here, where no earlier `up` gave it; `status` shows a row from then on."""
    known = {name: absence.message for name, absence in ops.unavailable.items()}
    return tuple(
        Finding(
            Level.WARN,
            "status.unavailable",
            f"{name} is unavailable: {error.message}",
            hint=_hint(name, error),
        )
        for name, error in missing.items()
        if known.get(name) != error.message
    )


def _hint(service: str, error: OpsError) -> str:
    """Advice of the engine, but for Grafana: Debian has no package to build its image from."""
    if not isinstance(error, ImageMissing) or any(item.folder == service for item in STAND_INS):
        return error.hint
    return "The same panels: tradebot dash; or carry its image here with `tradebot images save` and `load`"


def _can_work(ops: Ops, wanted: Collection[str]) -> bool:
    """Whether what came up includes everything a job needs."""
    return {"api", "worker"} <= set(wanted) and ops.stack.services["worker"].replicas > 0


def _report(ops: Ops, wanted: Sequence[str], done: Done) -> Report:
    shown = status(ops, wanted)
    data = {
        **dict(shown.data if isinstance(shown.data, dict) else {}),
        "changes": changes(done.found),
        "canary": done.proof.data if done.proof else None,
    }
    sections = (Section(lines=done.lines), shown.sections[0], Section("Next", lines=NEXT))
    findings = (*(_finding(error) for error in done.failed.values()), *done.absent, *shown.findings)
    failure = next((error.exit_code for error in done.failed.values()), ExitCode.FAILED)
    return Report(data=data, warnings=done.warnings, findings=findings, sections=sections, failure=failure)


def _finding(error: OpsError) -> Finding:
    """The core works, and yet this is a failure: what belongs to a profile was asked for, too."""
    return Finding(Level.FAIL, error.code, error.message, hint=error.hint, evidence="\n".join(error.detail))
