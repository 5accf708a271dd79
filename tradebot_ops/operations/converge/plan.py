"""The steps that `up` would take, and why: worked out through a view of the engine that cannot act."""

from collections.abc import Sequence

from tradebot_ops.context import Ops
from tradebot_ops.engines.readonly import ReadOnly
from tradebot_ops.errors import ExitCode
from tradebot_ops.model import Report, Section, Table
from tradebot_ops.operations.converge.judgement import Judgement, judge, outdated_sentence, outranked_sentences
from tradebot_ops.operations.secrets import missing
from tradebot_ops.operations.select import chosen_services, with_dependencies
from tradebot_ops.stack.model import Stack
from tradebot_ops.stack.plan import Step


def plan(ops: Ops, services: Sequence[str] = (), *, remove_orphans: bool = False, exit_code: bool = False) -> Report:
    """Every step with its reason. Changes nothing: ``data["changes"]`` is empty when `up` would not, either.

    With ``exit_code`` changes give the report the exit code 10, and so does what only another `up` would change:
    an image that is older than its source (`--build`), an orphan (`--remove-orphans`).
    """
    wanted = with_dependencies(ops.stack, chosen_services(ops.stack, services))
    found = judge(ops, ReadOnly(ops.engine), wanted, remove_orphans=remove_orphans)
    lacking = [name for name in wanted if name in found.facts.missing and name not in found.unavailable]
    todo = [*_secrets(ops), *_images(ops.stack, lacking)]
    return Report(
        data={
            "project": ops.settings.project,
            "engine": ops.engine.name,
            "changes": changes(found),
            "unchanged": [step.label for step in _unchanged(found)],
            "unavailable": [name for name in wanted if name in found.unavailable],
            "outdated": list(found.outdated),
            "orphans": list(found.plan.orphans),
            "first": todo,
        },
        sections=_sections(ops, found, todo),
        success=ExitCode.CHANGES_PRESENT if exit_code and found.differs else ExitCode.OK,
    )


def _unchanged(found: Judgement) -> list[Step]:
    return [step for step in found.plan.steps if step not in found.plan.changes]


def changes(found: Judgement) -> list[dict[str, object]]:
    """The steps that change something, for machines."""
    return [
        {
            "action": str(step.action),
            "service": step.service,
            "number": step.number,
            "reason": step.reason,
            "keys": [key.data() for key in found.why(step).keys],
            "files": list(found.why(step).files),
        }
        for step in found.changes
    ]


def _secrets(ops: Ops) -> list[str]:
    names = missing(ops.stack)
    return [f"generate the secrets {', '.join(names)}"] if names else []


def _images(stack: Stack, names: Sequence[str]) -> list[str]:
    """``build tradebot/app:latest for api, worker``, one line for each image."""
    users: dict[str, list[str]] = {}
    for name in names:
        users.setdefault(stack.services[name].image, []).append(name)
    verbs = {stack.services[name].image: "build" if stack.services[name].build else "pull" for name in names}
    return [f"{verbs[image]} {image} for {', '.join(those)}" for image, those in users.items()]


def _sections(ops: Ops, found: Judgement, todo: Sequence[str]) -> tuple[Section, ...]:
    where = f"Project {ops.settings.project} on the {ops.engine.name} engine."
    lines = [f"{where} {summary(found.changes)}", *(f"First: {item}." for item in todo)]
    if left := [name for name in found.plan.orphans if not any(step.service == name for step in found.plan.steps)]:
        lines.append(f"Not in the stack any more: {', '.join(left)}. Remove with: tradebot up --remove-orphans")
    if same := len(_unchanged(found)) if found.changes else 0:
        lines.append(f"{same} replica{' stays as it is' if same == 1 else 's stay as they are'}.")
    rows = tuple((str(step.action), step.label, found.reason(step)) for step in found.changes)
    tables = (Table(("action", "replica", "reason"), rows),) if rows else ()
    lines += [*filter(None, [outdated_sentence(found.outdated)]), *besides(ops, found)]
    return (Section(lines=tuple(lines), tables=tables),)


def besides(ops: Ops, found: Judgement) -> list[str]:
    """All that no step shows: services that cannot run here, and numbers that outrank others."""
    lines = [
        f"Cannot run here: {name}. {why.message.rstrip('.')}. {why.hint}"
        for name, why in found.unavailable.items()
        if name in found.wanted
    ]
    return [*lines, *outranked_sentences(ops)]


def summary(changed: Sequence[Step], when: str = "To do") -> str:
    """``To do: 5 create, 1 recreate.``, or ``Changed: …`` afterwards."""
    if not changed:
        return "Nothing to change: everything runs as described."
    actions = [str(step.action) for step in changed]
    return f"{when}: " + ", ".join(f"{actions.count(action)} {action}" for action in sorted(set(actions))) + "."
