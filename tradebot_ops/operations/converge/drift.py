"""Differences between the description and the world. `up` then acts on exactly that, for it asks the same plan."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import ImageFacts, Replica
from tradebot_ops.engines.readonly import ReadOnly
from tradebot_ops.errors import ExitCode
from tradebot_ops.model import Report, Section, Table
from tradebot_ops.operations.converge.changed_keys import ChangedKey, sentence
from tradebot_ops.operations.converge.judgement import Judgement, judge
from tradebot_ops.operations.converge.plan import besides
from tradebot_ops.stack.plan import Action, Step
from tradebot_ops.text.labels import label


@dataclass(frozen=True)
class Difference:
    """``kind`` is stable: missing, extra, orphan, foreign, description, image, source, network, content, state.

    ``remedy`` is the command that removes the difference; ``files`` are the edited ones, ``keys`` those of the
    description that changed, where they are known.
    """

    kind: str
    service: str
    number: int | None
    what: str
    remedy: str
    files: tuple[str, ...] = ()
    keys: tuple[ChangedKey, ...] = ()


def drift(ops: Ops, *, exit_code: bool = False) -> Report:
    """Look and compare; changes nothing. ``data["differences"]`` is empty when the world is as described.

    With ``exit_code`` differences give the report the exit code 10.
    """
    judged = judge(ops, ReadOnly(ops.engine), tuple(ops.stack.services))
    found = [*_of_replicas(ops, judged), *_of_sources(judged), *_orphans(judged)]
    success = ExitCode.CHANGES_PRESENT if exit_code and found else ExitCode.OK
    return replace(_report(ops, judged, found), success=success)


def _of_replicas(ops: Ops, judged: Judgement) -> Iterator[Difference]:
    for step in judged.changes:
        kind = kind_of(ops, step, judged.replicas.get((step.service, step.number)), judged.facts)
        why = judged.why(step)
        yield Difference(kind, step.service, step.number, step.reason, "tradebot up", why.files, why.keys)


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


def _of_sources(judged: Judgement) -> Iterator[Difference]:
    for name in judged.outdated:
        yield Difference("source", name, None, "its image is older than its source", "tradebot up --build")


def _orphans(judged: Judgement) -> Iterator[Difference]:
    for name in judged.plan.orphans:
        yield Difference("orphan", name, None, "runs, but is not described any more", "tradebot up --remove-orphans")


def _report(ops: Ops, judged: Judgement, found: list[Difference]) -> Report:
    where = f"Project {ops.settings.project} on the {ops.engine.name} engine"
    columns = ("differs", "replica", "remedy", "what")
    rows = tuple((each.kind, _name(each), each.remedy, _in_full(each, ops.source.folder)) for each in found)
    line = (
        f"{where}: {len(found)} difference{'' if len(found) == 1 else 's'}." if found else f"{where} is as described."
    )
    lines = (line, *besides(ops, judged))
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
                "keys": [key.data() for key in each.keys],
            }
            for each in found
        ],
    }
    return Report(data=data, sections=(Section(lines=lines, tables=(Table(columns, rows),) if rows else ()),))


def _name(each: Difference) -> str:
    return each.service if each.number is None else label(each.service, each.number)


def _in_full(each: Difference, folder: Path) -> str:
    names = sentence(each.keys) or ", ".join(name.removeprefix(f"{folder}/") for name in each.files)
    return f"{each.what}: {names}" if names else each.what
