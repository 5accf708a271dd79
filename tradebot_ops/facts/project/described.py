"""Whether the description can be read at all, and whether what runs is what it describes."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Replica
from tradebot_ops.errors import OpsError
from tradebot_ops.facts import engine
from tradebot_ops.facts.alerting import alertmanager
from tradebot_ops.facts.fact import Answer, NotHere, Unknown, fact
from tradebot_ops.facts.metrics import prometheus
from tradebot_ops.facts.metrics.prometheus import Loaded
from tradebot_ops.stack.model import MountKind, Stack

_PLACE = re.compile(r"(/\S+?):(\d+):")
#: An engine makes a folder of a file that is not there, and then the service finds a folder.
_FILES = {".yml", ".yaml", ".json", ".conf", ".cfg", ".ini", ".toml", ".acl"}


@dataclass(frozen=True)
class Reading:
    """Problems with what to do about each; none where the description is whole. ``anchor`` is the first one's line."""

    problems: tuple[str, ...] = ()
    hint: str = ""
    anchor: str = ""
    services: int = 0
    mounts: int = 0


@fact()
def reading(ops: Ops) -> Reading:
    """The description, read anew with all its variables and mounted paths."""
    try:
        stack = ops.stack
    except OpsError as error:
        problems = error.detail or (error.message,)
        return Reading(tuple(problems), error.hint, _anchor(ops, " ".join(problems)))
    wrong = tuple(_folders_for_files(stack))
    mounts = sum(len(service.mounts) for service in stack.services.values())
    return Reading(wrong, "Put the file in place of the folder.", "compose.yaml", len(stack.services), mounts)


def _anchor(ops: Ops, text: str) -> str:
    found = _PLACE.search(text)
    if not found:
        return ""
    try:
        path = Path(found[1]).relative_to(ops.source.folder)
    except (OpsError, ValueError):  # a file of elsewhere
        return ""
    return f"{path}:{found[2]}"


def _folders_for_files(stack: Stack) -> Iterator[str]:
    for service in stack.services.values():
        for mount in service.mounts:
            if mount.kind is MountKind.BIND and Path(mount.target).suffix in _FILES and Path(mount.source).is_dir():
                yield f"{service.name} mounts {mount.source} as a file, and it is a folder"


@dataclass(frozen=True)
class Drift:
    """Replicas by what differs, and services whose configuration in force is not the one written.

    ``unseen`` names services that were not asked for what they loaded, with the reason.
    """

    description: tuple[str, ...] = ()
    contents: tuple[str, ...] = ()
    loaded: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    replicas: int = 0


@fact(of=(engine.replicas,), perhaps=(prometheus.loaded, alertmanager.loaded))
def drift(
    ops: Ops, replicas: tuple[Replica, ...], prometheus_loaded: Answer[Loaded], alertmanager_loaded: Answer[Loaded]
) -> Drift:
    known = [each for each in replicas if each.service in ops.stack.services]
    services = ops.stack.services
    other = [each for each in known if each.spec_hash != services[each.service].spec_hash]
    edited = [each for each in known if each.content_hash not in {"", services[each.service].content_hash}]
    asked = {"prometheus": prometheus_loaded, "alertmanager": alertmanager_loaded}
    loaded, unseen = _loaded({name: answer for name, answer in asked.items() if name in services})
    return Drift(
        tuple(each.label for each in other),
        tuple(each.label for each in edited if each not in other),
        loaded,
        unseen,
        len(known),
    )


def _loaded(answers: Mapping[str, Answer[Loaded]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Where what is in force is not what is written; and what could not be compared, which others report, too."""
    found, unseen = [], []
    for name, answer in answers.items():
        if isinstance(answer, Unknown | NotHere):
            unseen.append(f"{name}: {answer.why}")
        elif places := (*answer.places, *(f"rule {rule}" for rule in answer.rules)):
            found.append(f"{name}: {', '.join(places)}")
    return tuple(found), tuple(unseen)
