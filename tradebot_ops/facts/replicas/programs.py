"""Which releases run, and which Python packages the services find."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Replica, State
from tradebot_ops.engines.inspection import EngineInfo
from tradebot_ops.errors import NotRunning, OpsError
from tradebot_ops.facts import engine
from tradebot_ops.facts.fact import fact
from tradebot_ops.text.sentences import ended, shortened

#: Asked by the interpreter of the service itself, and so of its own packages.
_PACKAGES = """
import importlib.metadata as m, importlib.util as u, json, pathlib, platform, re
folder = next(iter(u.find_spec("services").submodule_search_locations))
installed = {}
for each in m.distributions():
    # The two lines alone: to parse all of it takes most of a second.
    text = each.read_text("METADATA") or each.read_text("PKG-INFO") or ""
    name, version = (re.search(rf"(?m)^{word}: *(\\S+)", text) for word in ("Name", "Version"))
    if name and version:
        installed.setdefault(re.sub("[-_.]+", "-", name[1]).lower(), version[1])
print(json.dumps({
    "python": platform.python_version(),
    "installed": installed,
    "wanted": (pathlib.Path(folder) / "requirements.txt").read_text(),
}))
"""
_BUILD_INFO = "_build_info"
_STORES = {"postgres", "redis", "valkey"}


@dataclass(frozen=True)
class Packages:
    """Of one replica: installed versions by normalised name, and the lines of its requirements."""

    replica: str
    python: str
    installed: Mapping[str, str]
    wanted: tuple[str, ...]


@fact(seconds=20, of=(engine.replicas,))
def packages(ops: Ops, replicas: tuple[Replica, ...]) -> tuple[Packages, ...]:
    """Of every service that is built from our source and runs: its first replica, as all have one image."""
    ours = {"api", "worker"}
    first = {each.service: each for each in reversed(replicas) if each.state is State.RUNNING and each.service in ours}
    if not first:
        raise NotRunning("Neither the API nor a worker runs.", hint="tradebot up")
    return tuple(_packages(ops, first[name]) for name in sorted(first))


def _packages(ops: Ops, replica: Replica) -> Packages:
    answer = ops.engine.exec(replica, ["python", "-c", _PACKAGES], timeout=18)
    try:
        found = json.loads(answer.output.strip().splitlines()[-1])
    except (ValueError, IndexError):
        why = (answer.output.strip().splitlines() or [f"exit code {answer.exit_code}"])[-1]
        raise OpsError(f"Python in {replica.label} did not list its packages: {ended(shortened(why, 200))}") from None
    lines = (line.partition("#")[0].strip() for line in found["wanted"].splitlines())
    return Packages(replica.label, found["python"], found["installed"], tuple(line for line in lines if line))


@fact(seconds=8, of=(engine.info,))
def releases(ops: Ops, info: EngineInfo) -> Mapping[str, str]:
    """The version of each program by its name in ``support.py``: from Prometheus, else of what answers itself."""
    engine_itself = {"docker": info.version} if info.name == "docker" else {}
    try:
        found = ops.prometheus.query(f'{{__name__=~".+{_BUILD_INFO}|redis_instance_info|pg_static|python_info"}}')
    except NotRunning:
        return engine_itself | _asked_directly(ops)
    exported = _exported([(series.labels["__name__"], series.labels) for series in found])
    if not exported.keys() & _STORES:  # it was started this minute, and knows nothing yet
        exported |= _asked_directly(ops)
    return engine_itself | exported


def _exported(found: list[tuple[str, Mapping[str, str]]]) -> dict[str, str]:
    releases: dict[str, str] = {}
    for name, labels in found:
        if name == "redis_instance_info":
            releases |= _redis(labels)
        elif name == "pg_static":
            releases["postgres"] = labels.get("short_version", "")
        elif name == "python_info":
            releases["python"] = labels.get("version", "")
        else:
            releases[name.removesuffix(_BUILD_INFO).replace("_", "-")] = labels.get("version", "").removeprefix("v")
    return {name: version for name, version in releases.items() if version}


def _redis(info: Mapping[str, object]) -> dict[str, str]:
    """Valkey answers in Redis' name, and adds its own."""
    own = str(info.get("valkey_version") or "")
    return {"valkey": own} if own else {"redis": str(info.get("redis_version", ""))}


def _asked_directly(ops: Ops) -> dict[str, str]:
    redis = _redis(ops.redis.info("server"))
    shown = ops.postgres_monitor.rows("SHOW server_version")
    return redis | {"postgres": str(next(iter(shown[0].values()))).split()[0]}
