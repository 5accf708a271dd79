"""The steps that `up` would take, and why: worked out through a view of the engine that cannot act."""

from collections.abc import Collection, Sequence

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Engine, HasImages, ImageFacts
from tradebot_ops.engines.readonly import ReadOnly
from tradebot_ops.errors import ExitCode
from tradebot_ops.model import Report, Section, Table
from tradebot_ops.operations.secrets import missing
from tradebot_ops.operations.select import chosen_services, with_dependencies
from tradebot_ops.stack.model import Stack
from tradebot_ops.stack.plan import Plan, Step
from tradebot_ops.stack.plan import plan as steps_for


def work_out(
    engine: Engine, stack: Stack, wanted: Collection[str], facts: ImageFacts, *, remove_orphans: bool = False
) -> Plan:
    """The plan that `up` carries out and `plan` and `drift` show: one function, so that they agree."""
    return steps_for(
        stack,
        engine.list(),
        services=wanted,
        remove_orphans=remove_orphans,
        rebuilt=facts.rebuilt,
        edited=facts.edited,
        detached=facts.detached,
        replaced=facts.replaced,
    )


def facts_of(engine: Engine, stack: Stack) -> ImageFacts:
    """Problems of the stack's images or source; nothing on an engine that does not know."""
    return engine.image_facts(stack) if isinstance(engine, HasImages) else ImageFacts()


def plan(ops: Ops, services: Sequence[str] = (), *, remove_orphans: bool = False, exit_code: bool = False) -> Report:
    """Every step with its reason. Changes nothing: ``data["changes"]`` is empty when `up` would not, either.

    With ``exit_code`` changes give the report the exit code 10.
    """
    wanted = with_dependencies(ops.stack, chosen_services(ops.stack, services))
    engine = ReadOnly(ops.engine)
    facts = facts_of(engine, ops.stack)
    found = work_out(engine, ops.stack, wanted, facts, remove_orphans=remove_orphans)
    todo = [*_secrets(ops), *_images(ops.stack, [name for name in wanted if name in facts.missing])]
    return Report(
        data={
            "project": ops.settings.project,
            "engine": ops.engine.name,
            "changes": changes(found),
            "unchanged": [step.label for step in found.steps if step not in found.changes],
            "orphans": list(found.orphans),
            "first": todo,
        },
        sections=_sections(ops, found, todo),
        success=ExitCode.CHANGES_PRESENT if exit_code and found.changes else ExitCode.OK,
    )


def changes(found: Plan) -> list[dict[str, object]]:
    """The steps that change something, for machines."""
    return [
        {"action": str(step.action), "service": step.service, "number": step.number, "reason": step.reason}
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


def _sections(ops: Ops, found: Plan, todo: Sequence[str]) -> tuple[Section, ...]:
    where = f"Project {ops.settings.project} on the {ops.engine.name} engine."
    counted = summary(found.changes)
    lines = [f"{where} {counted}", *(f"First: {item}." for item in todo)]
    if left := [name for name in found.orphans if not any(step.service == name for step in found.steps)]:
        lines.append(f"Not in the stack any more: {', '.join(left)}. Remove with: tradebot up --remove-orphans")
    rows = tuple((str(step.action), step.label, step.reason) for step in found.steps)
    return (Section(lines=tuple(lines), tables=(Table(("action", "replica", "reason"), rows),) if rows else ()),)


def summary(changed: Sequence[Step], when: str = "To do") -> str:
    """``To do: 5 create, 1 recreate.``, or ``Changed: …`` afterwards."""
    if not changed:
        return "Nothing to change: everything runs as described."
    actions = [str(step.action) for step in changed]
    return f"{when}: " + ", ".join(f"{actions.count(action)} {action}" for action in sorted(set(actions))) + "."
