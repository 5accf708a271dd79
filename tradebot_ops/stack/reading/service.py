"""One service of the description as a typed ``Service``."""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tradebot_ops.stack.model import (
    Build,
    Condition,
    Dependency,
    Healthcheck,
    Limits,
    Logging,
    Probe,
    Service,
    Trust,
)
from tradebot_ops.stack.reading import host
from tradebot_ops.stack.reading.document import Item
from tradebot_ops.stack.reading.environment import read_environment
from tradebot_ops.stack.reading.mounts import Paths, read_mounts, read_references
from tradebot_ops.stack.reading.ports import read_ports
from tradebot_ops.stack.reading.read import Reader
from tradebot_ops.text.suggest import did_you_mean

SUPPORTED = host.KEYS | frozenset(
    {
        "build",
        "cap_add",
        "cap_drop",
        "command",
        "configs",
        "depends_on",
        "deploy",
        "entrypoint",
        "env_file",
        "environment",
        "expose",
        "group_add",
        "healthcheck",
        "image",
        "init",
        "labels",
        "logging",
        "networks",
        "ports",
        "profiles",
        "read_only",
        "restart",
        "secrets",
        "security_opt",
        "stop_grace_period",
        "stop_signal",
        "tmpfs",
        "user",
        "volumes",
        "working_dir",
    }
)
BUILD = frozenset({"context", "dockerfile", "args", "target"})
HEALTH = frozenset({"test", "interval", "timeout", "retries", "start_period", "start_interval", "disable"})
OWN = frozenset({"probe", "scalable", "one_shot", "reload", "needs_memory"})
_PROTOCOLS = ("http", "https", "redis", "postgres", "tcp")
_RESTART = re.compile(r"no|always|unless-stopped|on-failure(:\d+)?")


@dataclass(frozen=True)
class ReadContext:
    """Context on which a service's values may depend: paths, the environment, which variables the user set, and the
    project's name, which Compose gives to an image without one."""

    paths: Paths
    environ: Mapping[str, str]
    chosen: AbstractSet[str]
    project: str


def read_service(reader: Reader, name: str, item: Item, context: ReadContext) -> Service:
    """Every field with its default; problems go to the reader."""
    fields = reader.fields(item, SUPPORTED)
    build = _build(reader, fields.get("build"), context.paths)
    image = reader.text(fields.get("image")) or (f"{context.project}-{name}" if build else "")
    if not image:
        reader.fail(item, "has neither `image` nor `build`", "Name an image, or say what one is built from.")
    own = _own(reader, fields.get("x-tradebot"), context.paths)
    replicas, limits = _deploy(reader, fields.get("deploy"))
    return Service(
        name=name,
        image=image,
        command=reader.words(fields.get("command")),
        entrypoint=_entrypoint(reader, fields.get("entrypoint")),
        build=build,
        environment=read_environment(reader, fields, context.environ, context.paths),
        ports=read_ports(reader, fields.get("ports"), context.chosen),
        expose=tuple(reader.integer(port, least=1) for port in reader.sequence(fields.get("expose"))),
        mounts=read_mounts(reader, fields, context.paths),
        secrets=read_references(reader, fields.get("secrets"), "/run/secrets"),
        configs=read_references(reader, fields.get("configs"), "/"),
        networks=_networks(reader, fields.get("networks")),
        depends_on=_depends_on(reader, fields.get("depends_on")),
        healthcheck=_healthcheck(reader, fields.get("healthcheck")),
        restart=_restart(reader, fields.get("restart")),
        replicas=replicas,
        limits=limits,
        profiles=reader.texts(fields.get("profiles")),
        user=reader.text(fields.get("user")),
        read_only=reader.boolean(fields.get("read_only")),
        cap_drop=reader.texts(fields.get("cap_drop")),
        cap_add=reader.texts(fields.get("cap_add")),
        group_add=reader.texts(fields.get("group_add")),
        security_opt=reader.texts(fields.get("security_opt")),
        init=reader.boolean(fields.get("init")),
        working_dir=reader.text(fields.get("working_dir")),
        stop_grace=reader.seconds(fields.get("stop_grace_period"), 10.0),
        stop_signal=reader.signal(fields.get("stop_signal"), "SIGTERM"),
        labels={key: value or "" for key, value in reader.pairs(fields.get("labels")).items()},
        logging=_logging(reader, fields.get("logging")),
        host=host.read_host(reader, fields),
        **own,
    )


def _entrypoint(reader: Reader, item: Item | None) -> tuple[str, ...] | None:
    """None is the image's own, as null says; an empty one takes that away."""
    return None if item is None or item.value is None else reader.words(item)


def _build(reader: Reader, item: Item | None, paths: Paths) -> Build | None:
    if item is None:
        return None
    fields = reader.fields(item, BUILD) if isinstance(item.value, dict) else {"context": item}
    context = paths.resolve(reader.text(fields.get("context"), "."))
    args = {key: value or "" for key, value in reader.pairs(fields.get("args")).items()}
    dockerfile = context / reader.text(fields.get("dockerfile"), "Dockerfile")
    return Build(context, Path(dockerfile), args, reader.text(fields.get("target")))


def _networks(reader: Reader, item: Item | None) -> dict[str, tuple[str, ...]]:
    """Networks with the service's extra names on them; without any, the project's own ``default`` network."""
    if item is not None and isinstance(item.value, list):
        return dict.fromkeys(reader.texts(item), ())
    found = {}
    for name, child in reader.mapping(item).items():
        found[name] = reader.texts(reader.fields(child, frozenset({"aliases"})).get("aliases"))
    return found or {"default": ()}


def _depends_on(reader: Reader, item: Item | None) -> tuple[Dependency, ...]:
    if item is not None and isinstance(item.value, list):
        return tuple(Dependency(name) for name in reader.texts(item))
    found = []
    for name, child in reader.mapping(item).items():
        condition = reader.fields(child, frozenset({"condition"})).get("condition")
        known = tuple(Condition)
        found.append(Dependency(name, Condition(reader.chosen(condition, known, Condition.STARTED))))
    return tuple(found)


def _healthcheck(reader: Reader, item: Item | None) -> Healthcheck | None:
    if item is None:
        return None
    fields = reader.fields(item, HEALTH)
    if reader.boolean(fields.get("disable")):
        return Healthcheck(("NONE",))
    if "test" not in fields:
        reader.fail(item, "has no `test`", 'Write test: ["CMD", "program", "argument"].')
        return None
    start_interval = reader.seconds(fields.get("start_interval"), 0.0)
    return Healthcheck(
        test=_test(reader, fields["test"]),
        interval=reader.seconds(fields.get("interval"), 30.0),
        timeout=reader.seconds(fields.get("timeout"), 30.0),
        retries=reader.integer(fields.get("retries"), 3, least=1),
        start_period=reader.seconds(fields.get("start_period"), 0.0),
        start_interval=start_interval or None,
    )


def _test(reader: Reader, item: Item) -> tuple[str, ...]:
    if not isinstance(item.value, list):
        return ("CMD-SHELL", reader.text(item))
    words = reader.texts(item)
    if not words or words[0] not in {"CMD", "CMD-SHELL", "NONE"}:
        reader.fail(item, "starts with none of CMD, CMD-SHELL, NONE", 'Write ["CMD", "program", "argument"].')
    return words


def _restart(reader: Reader, item: Item | None) -> str:
    mode = reader.text(item, "no")
    if item is not None and not _RESTART.fullmatch(mode):
        reader.fail(item, f"is {mode!r}", 'Write "no", always, unless-stopped, on-failure or on-failure:3.')
    return mode


def _deploy(reader: Reader, item: Item | None) -> tuple[int, Limits]:
    fields = reader.fields(item, frozenset({"replicas", "resources"}))
    resources = reader.fields(fields.get("resources"), frozenset({"limits"}))
    limits = reader.fields(resources.get("limits"), frozenset({"memory", "cpus", "pids"}))
    pids = reader.integer(limits.get("pids"), least=1) if "pids" in limits else None
    found = Limits(reader.size(limits.get("memory")), reader.number(limits.get("cpus")), pids)
    return reader.integer(fields.get("replicas"), 1), found


def _logging(reader: Reader, item: Item | None) -> Logging:
    fields = reader.fields(item, frozenset({"driver", "options"}))
    options = reader.mapping(fields.get("options"))
    # Docker would refuse these only when it makes a container, and the local engine never.
    reader.size(options.get("max-size"))
    reader.integer(options.get("max-file"), least=1)
    return Logging(reader.text(fields.get("driver")), {key: reader.text(value) for key, value in options.items()})


def _own(reader: Reader, item: Item | None, paths: Paths) -> dict[str, Any]:
    """``x-tradebot``: what only tradebot reads. Keys it does not know stay readable in ``Service.x``."""
    fields = reader.mapping(item)
    for key in fields.keys() - OWN:
        if meant := did_you_mean(key, OWN):
            reader.fail(fields[key], "is no key of x-tradebot", meant)
    return {
        "probe": _probe(reader, fields.get("probe"), paths),
        "scalable": reader.boolean(fields.get("scalable")),
        "one_shot": reader.boolean(fields.get("one_shot")),
        "reload": reader.signal(fields.get("reload")),
        "needs_memory": reader.size(fields.get("needs_memory")),
        "x": {key: child.plain() for key, child in fields.items() if key not in OWN},
    }


def _probe(reader: Reader, item: Item | None, paths: Paths) -> Probe | None:
    """``ca`` and ``name`` may stand beside a protocol without certificates: which one it is may be a setting."""
    if item is None:
        return None
    fields = reader.fields(item, frozenset({"protocol", "port", "path", "ca", "name"}))
    complete = [*reader.required(item, fields, "protocol"), *reader.required(item, fields, "port")]
    if len(complete) < len(("protocol", "port")):
        return None
    protocol = reader.chosen(fields["protocol"], _PROTOCOLS, "tcp")
    port, path = reader.integer(fields["port"], least=1), reader.text(fields.get("path"), "/")
    if protocol != "https" or not [*reader.required(item, fields, "ca")]:
        return Probe(protocol, port, path)
    trust = Trust(paths.resolve(reader.text(fields["ca"])), reader.text(fields.get("name"), "localhost"))
    return Probe(protocol, port, path, trust)
