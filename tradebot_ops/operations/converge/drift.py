"""Differences between the description and the world. `up` then acts on exactly that, for it asks the same plan."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import ImageFacts, Replica
from tradebot_ops.engines.readonly import ReadOnly
from tradebot_ops.errors import ExitCode
from tradebot_ops.model import Report, Section, Table
from tradebot_ops.operations.converge.mounted_files import edited
from tradebot_ops.operations.converge.plan import facts_of, work_out
from tradebot_ops.stack.plan import Action, Plan, Step
from tradebot_ops.text.labels import label


@dataclass(frozen=True)
class Difference:
    """``kind`` is stable: missing, extra, orphan, foreign, description, image, source, network, content, state.

    ``remedy`` is the command that removes the difference; ``files`` are the edited ones, where they are known.
    """

    kind: str
    service: str
    number: int | None
    what: str
    remedy: str
    files: tuple[str, ...] = ()


def drift(ops: Ops, *, exit_code: bool = False) -> Report:
    """Look and compare; changes nothing. ``data["differences"]`` is empty when the world is as described.

    With ``exit_code`` differences give the report the exit code 10.
    """
    engine = ReadOnly(ops.engine)
    facts = facts_of(engine, ops.stack)
    plan = work_out(engine, ops.stack, tuple(ops.stack.services), facts)
    there = {(found.service, found.number): found for found in engine.list()}
    found = [*_of_replicas(ops, plan, there, facts), *_of_sources(facts), *_orphans(plan)]
    success = ExitCode.CHANGES_PRESENT if exit_code and found else ExitCode.OK
    return replace(_report(ops, found), success=success)


def _of_replicas(
    ops: Ops, plan: Plan, there: dict[tuple[str, int], Replica], facts: ImageFacts
) -> Iterator[Difference]:
    for step in plan.changes:
        found = there.get((step.service, step.number))
        kind = kind_of(ops, step, found, facts)
        files = edited(ops, step.service, found.content_hash) if found is not None and kind == "content" else ()
        yield Difference(kind, step.service, step.number, step.reason, "tradebot up", files)


def kind_of(ops: Ops, step: Step, found: Replica | None, facts: ImageFacts) -> str:
    """Which of the hashes, or what else, is behind a step of the plan."""
    if found is None or step.action is Action.CREATE:
        return "missing"
    if step.action is Action.REMOVE:
        return "extra"
    service = ops.stack.services[step.service]
    if not found.spec_hash:
        return "foreign"
    if found.spec_hash != service.spec_hash:
        return "description"
    if step.service in facts.rebuilt:
        return "image"
    if step.service in facts.edited:
        return "source"
    if step.action is Action.RECREATE and (step.service, step.number) in facts.detached:
        return "network"
    return "content" if found.content_hash not in {"", service.content_hash} else "state"


def _of_sources(facts: ImageFacts) -> Iterator[Difference]:
    for name in sorted(facts.outdated):
        yield Difference("source", name, None, "its image is older than its source", "tradebot up --build")


def _orphans(plan: Plan) -> Iterator[Difference]:
    for name in plan.orphans:
        yield Difference("orphan", name, None, "runs, but is not described any more", "tradebot up --remove-orphans")


def _report(ops: Ops, found: list[Difference]) -> Report:
    where = f"Project {ops.settings.project} on the {ops.engine.name} engine"
    columns = ("differs", "replica", "remedy", "what")
    rows = tuple((each.kind, _name(each), each.remedy, _with_files(each, ops.source.folder)) for each in found)
    line = (
        f"{where}: {len(found)} difference{'' if len(found) == 1 else 's'}." if found else f"{where} is as described."
    )
    data = {
        "project": ops.settings.project,
        "engine": ops.engine.name,
        "differences": [
            {
                "kind": each.kind,
                "service": each.service,
                "number": each.number,
                "what": each.what,
                "remedy": each.remedy,
                "files": list(each.files),
            }
            for each in found
        ],
    }
    return Report(data=data, sections=(Section(lines=(line,), tables=(Table(columns, rows),) if rows else ()),))


def _name(each: Difference) -> str:
    return each.service if each.number is None else label(each.service, each.number)


def _with_files(each: Difference, folder: Path) -> str:
    names = ", ".join(name.removeprefix(f"{folder}/") for name in each.files)
    return f"{each.what}: {names}" if names else each.what
