"""From compose files to a checked ``Stack``: parse, merge, interpolate, read, cross-check, hash.

Each phase names all that is wrong before the next begins, so one run shows as much as can be known.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path

from tradebot_ops.errors import OpsError
from tradebot_ops.stack import crosscheck, hashing, schema
from tradebot_ops.stack.model import Condition, Service, Stack
from tradebot_ops.stack.problems import Code, Problem, Problems
from tradebot_ops.stack.reading import document, toplevel
from tradebot_ops.stack.reading.document import Item
from tradebot_ops.stack.reading.merge import merge, settle
from tradebot_ops.stack.reading.mounts import Paths
from tradebot_ops.stack.reading.read import Reader
from tradebot_ops.stack.reading.service import ReadContext, read_service
from tradebot_ops.stack.source import Source
from tradebot_ops.text.interpolate import BadTemplateError, MissingVariableError, expand

#: ``version`` means nothing to Compose either, and stands in most published files.
TOP = frozenset({"name", "version", "services", "networks", "volumes", "secrets", "configs"})
_NO_REPLICAS: Mapping[str, int] = {}


@dataclass(frozen=True)
class Wanted:
    """Which services are wanted: profiles (``*`` is all of them) and services named one by one."""

    profiles: AbstractSet[str]
    services: AbstractSet[str]

    def wants(self, name: str, profiles: Sequence[str]) -> bool:
        return not profiles or name in self.services or "*" in self.profiles or not self.profiles.isdisjoint(profiles)


def load(
    source: Source,
    environ: Mapping[str, str],
    *,
    project: str,
    profiles: Sequence[str] = (),
    replicas: Mapping[str, int] = _NO_REPLICAS,
    explicit: AbstractSet[str] = frozenset(),
    services: Sequence[str] = (),
    cache: Path | None = None,
) -> Stack:
    """The stack that ``source`` describes, for one project.

    ``environ`` holds the variables for interpolation; ``explicit`` names those of them the user set, which
    decides ``Port.explicit``. ``profiles`` activates services (``*``: all), ``services`` activates single ones.
    ``replicas`` overrides ``deploy.replicas``; names it has beyond the stack are left alone. ``cache`` is a folder
    where a description that passed the schema is remembered; without it the schema is checked every time.
    Raises one ``OpsError`` TB-0810 … TB-0819 that names everything found wrong.
    """
    problems = Problems()
    tree = _tree(source, environ, problems)
    choice = Wanted(frozenset(profiles), frozenset(services))
    active, inactive = _split(tree, choice)
    _raise_for(problems, inactive)

    reader = Reader(problems)
    project = project or _text(tree, "name")
    context = ReadContext(Paths(source.folder, environ.get("HOME", "~")), environ, explicit, project)
    stack = _read(reader, tree, active, context, project)
    stack = replace(stack, folder=source.folder, files=source.files, inactive=tuple(inactive))
    outranked = {
        name: service.replicas
        for name, service in stack.services.items()
        if replicas.get(name, service.replicas) != service.replicas
    }
    stack = replace(stack, services=_finished(stack.services, replicas), outranked=outranked)
    crosscheck.check(stack, tree, problems)
    problems.raise_if_any()
    schema.check(tree, cache)
    return replace(stack, services={name: hashing.hashed(stack, service) for name, service in stack.services.items()})


def tree_of(source: Source, environ: Mapping[str, str]) -> Item:
    """The description as it is written, merged and with its variables replaced, each value with its place."""
    return _tree(source, environ, Problems())


def _tree(source: Source, environ: Mapping[str, str], problems: Problems) -> Item:
    tree = reduce(merge, (_parse(file) for file in source.files))
    return settle(_interpolated(tree, environ, problems))


def _parse(file: Path) -> Item:
    try:
        return document.parse(file.read_text(encoding="utf-8"), file)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise OpsError(
            f"Cannot read {file}: {reason}.", code=Code.FILE, hint="Name a readable file with -f."
        ) from error


def _interpolated(item: Item, environ: Mapping[str, str], problems: Problems) -> Item:
    """The tree with variables replaced; keys are left as they are."""
    if isinstance(item.value, dict):
        return replace(item, value={key: _interpolated(child, environ, problems) for key, child in item.value.items()})
    if isinstance(item.value, list):
        return replace(item, value=[_interpolated(child, environ, problems) for child in item.value])
    if not isinstance(item.value, str) or "$" not in item.value:
        return item
    try:
        expanded = expand(item.value, environ)
    except MissingVariableError as error:
        hint = f"Set it in .env ({error.name}=…), or give it a default: ${{{error.name}:-value}}."
        problems.add(Code.VARIABLE, item.place, str(error), hint)
    except BadTemplateError as error:
        problems.add(Code.VARIABLE, item.place, str(error), "Write $$ for a plain dollar sign.")
    else:
        return item.with_text(expanded.text, expanded.variables)
    return item


def _children(tree: Item, key: str) -> dict[str, Item]:
    section = tree.value.get(key) if isinstance(tree.value, dict) else None
    return section.value if section is not None and isinstance(section.value, dict) else {}


def _text(tree: Item, key: str) -> str:
    item = tree.value.get(key) if isinstance(tree.value, dict) else None
    return item.raw if item is not None else ""


def _split(tree: Item, choice: Wanted) -> tuple[dict[str, Item], list[str]]:
    """Services that are wanted, and the names of those that are not."""
    active, inactive = {}, []
    for name, item in _children(tree, "services").items():
        profiles = item.value.get("profiles") if isinstance(item.value, dict) else None
        listed = profiles.plain() if profiles is not None and isinstance(profiles.value, list) else []
        if choice.wants(name, listed):
            active[name] = item
        else:
            inactive.append(name)
    return active, inactive


def _raise_for(problems: Problems, inactive: Sequence[str]) -> None:
    """Variables of services nobody asked for may be missing."""
    ignored = tuple(f"services.{name}." for name in inactive)

    def matters(problem: Problem) -> bool:
        return not problem.place.path.startswith(ignored)

    problems.found = [problem for problem in problems.found if matters(problem)]
    problems.raise_if_any()


def _read(reader: Reader, tree: Item, active: Mapping[str, Item], context: ReadContext, project: str) -> Stack:
    fields = reader.fields(tree, TOP)
    reader.mapping(fields.get("services"))
    if not active:
        reader.fail(tree, "describes no active service", "Add one below `services:`, or choose a --profile.")
    return Stack(
        project=project,
        folder=context.paths.folder,
        files=(),
        services={name: read_service(reader, name, item, context) for name, item in active.items()},
        networks=toplevel.read_networks(reader, fields.get("networks"), project),
        volumes=toplevel.read_volumes(reader, fields.get("volumes"), project),
        secrets=toplevel.read_files(reader, fields.get("secrets"), context.paths, must_exist=False),
        configs=toplevel.read_files(reader, fields.get("configs"), context.paths, must_exist=True),
    )


def _finished(services: Mapping[str, Service], replicas: Mapping[str, int]) -> dict[str, Service]:
    """Replicas as desired, and who is done at exit 0: all that someone waits for to complete."""
    awaited = {
        dependency.service
        for service in services.values()
        for dependency in service.depends_on
        if dependency.condition is Condition.COMPLETED
    }
    return {
        name: replace(
            service,
            replicas=replicas.get(name, service.replicas),
            one_shot=service.one_shot or name in awaited,
        )
        for name, service in services.items()
    }
