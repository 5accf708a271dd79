"""One judgement of how the world differs from the description, for `plan`, `up` and `drift` alike."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Engine, HasImages, ImageFacts, Replica
from tradebot_ops.operations.converge.changed_keys import ChangedKey, changed_keys, sentence
from tradebot_ops.operations.converge.mounted_files import edited
from tradebot_ops.records import Absence
from tradebot_ops.settings import STACK_SETTINGS
from tradebot_ops.stack.model import Service, Stack
from tradebot_ops.stack.plan import Action, Plan, Step
from tradebot_ops.stack.plan import plan as steps_for


@dataclass(frozen=True)
class Why:
    """The cause of one step: the keys of the description, or the mounted files, that changed."""

    keys: tuple[ChangedKey, ...] = ()
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Judgement:
    """The steps for the services ``wanted``, and why each is needed.

    ``unavailable`` are services that the last `up` could not run here and that nothing has come for since: to create
    them is no change, or this host would differ for ever.
    """

    plan: Plan
    facts: ImageFacts
    wanted: tuple[str, ...]
    replicas: Mapping[tuple[str, int], Replica] = field(default_factory=dict)
    unavailable: Mapping[str, Absence] = field(default_factory=dict)
    whys: Mapping[tuple[str, int], Why] = field(default_factory=dict)

    @cached_property
    def changes(self) -> tuple[Step, ...]:
        """The steps that change something."""
        return tuple(
            step
            for step in self.plan.changes
            if not (step.service in self.unavailable and step.action is Action.CREATE)
        )

    @property
    def outdated(self) -> tuple[str, ...]:
        """Services whose image is older than its source; only `up --build` makes it anew."""
        return tuple(name for name in self.wanted if name in self.facts.outdated)

    @property
    def differs(self) -> bool:
        return bool(self.changes or self.outdated or self.plan.orphans)

    def why(self, step: Step) -> Why:
        return self.whys.get((step.service, step.number), Why())

    def reason(self, step: Step) -> str:
        """Why a step is needed, with what changed."""
        why = self.why(step)
        return ": ".join(filter(None, (step.reason, sentence(why.keys) or ", ".join(why.files))))


def judge(
    ops: Ops, engine: Engine, wanted: Collection[str], *, facts: ImageFacts | None = None, remove_orphans: bool = False
) -> Judgement:
    """Look at the world once, and compare; changes nothing.

    ``engine`` is the one of ``ops``, or a view of it; ``facts`` are what it was asked before."""
    facts = facts or facts_of(engine, ops.stack)
    found = engine.list()
    planned = steps_for(
        ops.stack,
        found,
        services=wanted,
        remove_orphans=remove_orphans,
        rebuilt=facts.rebuilt,
        edited=facts.edited,
        detached=facts.detached,
        replaced=facts.replaced,
    )
    replicas = {(each.service, each.number): each for each in found}
    absent = {name: why for name, why in ops.unavailable.items() if name not in facts.present}
    return Judgement(planned, facts, tuple(wanted), replicas, absent, _whys(ops, planned, replicas))


def _whys(ops: Ops, planned: Plan, replicas: Mapping[tuple[str, int], Replica]) -> dict[tuple[str, int], Why]:
    """Only what changed is looked into: where nothing did, nothing more is read."""
    changed = {
        place: replicas[place]
        for step in planned.changes
        if (place := (step.service, step.number)) in replicas and step.service in ops.stack.services
    }
    described = {place: each for place, each in changed.items() if each.spec_hash != _service(ops, each).spec_hash}
    keys = changed_keys(ops, described.values())
    return {
        place: Why(keys=keys.get(each.spec_hash, ()))
        if place in described
        else Why(files=edited(ops, each.service, each.content_hash) if _other_content(ops, each) else ())
        for place, each in changed.items()
    }


def _service(ops: Ops, replica: Replica) -> Service:
    return ops.stack.services[replica.service]


def _other_content(ops: Ops, replica: Replica) -> bool:
    return replica.content_hash not in {"", _service(ops, replica).content_hash}


def facts_of(engine: Engine, stack: Stack) -> ImageFacts:
    """All that the engine knows of images, source, networks and files; nothing on one that does not know."""
    return engine.image_facts(stack) if isinstance(engine, HasImages) else ImageFacts()


def outdated_sentence(services: Collection[str]) -> str:
    """Empty for none."""
    if not services:
        return ""
    return f"Older than its source is the image of {', '.join(services)}. Build it anew: tradebot up --build"


def outranked_sentences(ops: Ops) -> list[str]:
    """Numbers that `scale` stored where the files, or a setting in force, ask for another number."""
    stack, settings = ops.stack, {setting.name for setting in STACK_SETTINGS}
    found = []
    for name, asked in stack.outranked.items():
        setting = f"{name.upper()}_REPLICAS"
        origin = ops.settings.stack[setting].origin if setting in settings else "default"
        source = f"{setting}={asked} ({origin})" if origin != "default" else f"the {asked} of the description"
        found.append(
            f"For {name}, scale stored {stack.services[name].replicas}, which outranks {source}. "
            f"Forget it: tradebot scale {name} --reset"
        )
    return found
