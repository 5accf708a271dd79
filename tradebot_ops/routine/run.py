"""Do what a machine can of a maintenance list, and say what it found and what a person must do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.errors import ExitCode, OpsError, Unreachable, Unsupported
from tradebot_ops.facts.fact import Effect
from tradebot_ops.model import Finding, Level, Report, Section, Table
from tradebot_ops.prodcheck import report as checks
from tradebot_ops.prodcheck import waivers
from tradebot_ops.prodcheck.catalogue import Selection, catalogue
from tradebot_ops.prodcheck.runner import Options, run
from tradebot_ops.progress import OnProgress, Phase, ProgressEvent
from tradebot_ops.routine.item import QUIET, Item, Look, Routine, State, state_of
from tradebot_ops.routine.lists import ROUTINES
from tradebot_ops.routine.looks import NotAsked


@dataclass(frozen=True)
class Done:
    """An item and all that was seen of it."""

    item: Item
    seen: tuple[Finding, ...]

    @property
    def state(self) -> State:
        return state_of(self.seen)

    def of(self, *levels: Level) -> list[Finding]:
        return [each for each in self.seen if each.level in levels]


def routine(ops: Ops, name: str, on_progress: OnProgress, *, strict: bool = False) -> Report:
    """The list of that name. Changes nothing, but what an item says that needs `--yes`, once that is given.

    What was found at the level of a failure ends with 1, warnings alone with 3 when ``strict``.
    """
    chosen = ROUTINES[name]
    judged = _judged(ops, chosen, on_progress)
    done = []
    for item in chosen.items:
        looked = [each for look in item.looks for each in _look(ops, look, on_progress)]
        done.append(Done(item, (*_of_checks(item, judged), *looked)))
    return report(name, chosen, done, strict=strict)


def _judged(ops: Ops, chosen: Routine, on_progress: OnProgress) -> Mapping[str, Finding]:
    """Each check that an item names, judged once; facts that write something are left out."""
    wanted = [pattern for item in chosen.items for pattern in item.checks]
    on_progress(ProgressEvent("prod-check", Phase.PREPARING, ", ".join(dict.fromkeys(wanted))))
    stages = catalogue()
    known = {check.id for stage in stages for check in stage.checks}
    accepted = waivers.read(ops.settings.waivers, known, ops.clock().date())
    options = Options(frozenset({Effect.WRITES, Effect.CANARY, Effect.ALERT}), ops.settings.timeout)
    done = run(ops, stages, Selection(only=wanted).choose(stages), accepted, options, lambda _: None)
    return {result.check.id: checks.finding(result) for result in done.results}


def _of_checks(item: Item, judged: Mapping[str, Finding]) -> Sequence[Finding]:
    if not item.checks:
        return ()
    return [judged[check.id] for check in Selection(only=item.checks).choose(catalogue())]


def _look(ops: Ops, look: Look, on_progress: OnProgress) -> Sequence[Finding]:
    """Skip a source that is away and a change that was not agreed to; another failure is something found."""
    on_progress(ProgressEvent(look.typed.removeprefix("tradebot "), Phase.PREPARING, "looking"))
    try:
        return look.judge(look.ask(ops))
    except (Unreachable, Unsupported, NotAsked) as error:
        return (Finding(Level.SKIP, error.code, error.message, hint=error.hint),)
    except OpsError as error:
        return (Finding(Level.FAIL, error.code, error.message, hint=error.hint, evidence="\n".join(error.detail)),)


def report(name: str, chosen: Routine, done: Sequence[Done], *, strict: bool) -> Report:
    """For people: a line for each item, what was found, what was not looked at, what is theirs to do."""
    found = _once([each for item in done for each in item.seen if each.level not in QUIET])
    skipped = _once([each for item in done for each in item.of(Level.SKIP)])
    counts = {str(state): sum(each.state is state for each in done) for state in State}
    head = f"{name.capitalize()}, {chosen.time}: " + ", ".join(f"{count} {state}" for state, count in counts.items())
    sections = [
        Section(f"{head}.", tables=(Table(("", "item", "seen"), tuple(map(_row, done))),)),
        Section("Found", lines=tuple(line for each in found for line in _lines(each))),
        Section("Not looked at", lines=tuple(f"{each.id}: {each.message}" for each in skipped)),
        Section("For a person", lines=tuple(line for each in done for line in _person(each.item))),
    ]
    data = {"routine": name, "time": chosen.time, **counts, "items": [_content(each) for each in done]}
    warned = any(each.level is Level.WARN for each in found)
    return Report(
        data=data,
        findings=found,
        sections=tuple(each for each in sections if each.lines or each.tables),
        findings_shown=False,
        success=ExitCode.WARNINGS if strict and warned else ExitCode.OK,
    )


def _once(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Two items may ask the same."""
    return tuple({(each.id, each.message): each for each in findings}.values())


def _row(done: Done) -> tuple[str, ...]:
    looked = len(done.seen) - len(done.of(Level.SKIP))
    if done.state is State.SKIPPED:
        return (done.state, done.item.title, done.seen[0].message if done.seen else "For a person alone.")
    found = ", ".join(dict.fromkeys(each.id for each in done.seen if each.level not in QUIET))
    seen = f"{looked} look{'' if looked == 1 else 's'}: " + (f"{found} found something" if found else "nothing wrong")
    return (done.state, done.item.title, seen)


def _lines(found: Finding) -> Sequence[str]:
    return [f"{found.level.upper()}  {found.id}  {found.message}", *([f"      -> {found.hint}"] if found.hint else [])]


def _person(item: Item) -> Sequence[str]:
    return [f"- {item.title}: {item.person}", *(f"    {typed}" for typed in item.types)] if item.person else []


def _content(done: Done) -> Mapping[str, Any]:
    return {
        "title": done.item.title,
        "state": str(done.state),
        "seen": [
            {"id": each.id, "level": str(each.level), "message": each.message, "hint": each.hint} for each in done.seen
        ],
        "person": {"task": done.item.person, "type": list(done.item.types)} if done.item.person else None,
    }
