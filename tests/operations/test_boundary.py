"""No write outside the boundary: walked through the source, and watched while every kind of operation runs.

The walk starts at what other rooms call of the operations, follows every function that a function names, stops at
``with change(…):``, and reports each write that it comes to. What counts as a write is not a list of writes but the
opposite: whatever an engine, a client or the project's state offers and is not known to look only.
"""

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.paths import ROOT
from tradebot_ops.backups.shelf import Shelf
from tradebot_ops.clients.alertmanager import Alertmanager
from tradebot_ops.clients.api import Api
from tradebot_ops.clients.grafana import Grafana
from tradebot_ops.clients.panels import Panels
from tradebot_ops.clients.postgres import Postgres
from tradebot_ops.clients.prometheus import Prometheus
from tradebot_ops.clients.redis import Redis
from tradebot_ops.context import Ops
from tradebot_ops.docker.images import Images
from tradebot_ops.engines.base import Announces, Attaches, Engine, HasImages, Pipes, Prunes
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.operations.alerts import silences
from tradebot_ops.operations.backup.copying.folder import FolderCopy
from tradebot_ops.operations.backup.copying.ssh import SshCopy
from tradebot_ops.operations.jobs import jobs
from tradebot_ops.operations.unattended.systemd import Manager
from tradebot_ops.private_folder import PrivateFolder
from tradebot_ops.settings import load_settings
from tradebot_ops.state import HostState, ProjectState

SOURCE = ROOT / "tradebot_ops"
ROOM = "tradebot_ops.operations"
#: By the name under which operations hold it: what it is, and what of it only looks. `exec` runs what the operator
#: typed, or a tool that reads; making that wait for an `up` would help nobody.
HELD: dict[str, tuple[tuple[type, ...], frozenset[str]]] = {
    "engine": (
        (Engine, HasImages, Announces, Attaches, Pipes, Prunes),
        frozenset(
            {"list", "logs", "exec", "stats", "events", "endpoint", "image_facts", "announce", "attached", "leftovers"}
        ),
    ),
    "api": (
        (Api,),
        frozenset(
            {
                "job",
                "known_job",
                "jobs",
                "job_stats",
                "prunable",
                "bots",
                "breakers",
                "keys",
                "api_calls",
                "queues",
                "halted",
                "schedules",
                "series",
                "series_lines",
                "dead_groups",
                "quarantined",
                "workers",
                "alerts",
                "alert_stats",
                "metrics",
                "job_types",
                "health",
                "panels",
            }
        ),
    ),
    "alertmanager": (
        (Alertmanager,),
        frozenset({"alerts", "silences", "receivers", "status", "deliveries", "ready"}),
    ),
    "prometheus": (
        (Prometheus,),
        frozenset(
            {
                "targets",
                "dropped",
                "rules",
                "alerts",
                "query",
                "query_range",
                "emitted",
                "ready",
                "status",
                "config",
                "flags",
            }
        ),
    ),
    "manager": ((Manager,), frozenset({"words", "runs"})),
    "target": ((FolderCopy, SshCopy), frozenset({"folder", "place", "apart", "check", "sums"})),
    "grafana": ((Grafana,), frozenset({"version", "datasource_fault", "dashboard"})),
    "panels": ((Panels,), frozenset({"look"})),
    "postgres": ((Postgres,), frozenset({"rows", "rehearse"})),
    "redis": (
        (Redis,),
        frozenset(
            {
                "info",
                "config",
                "ping_latencies",
                "slowlog",
                "clients",
                "scan",
                "latency_doctor",
                "memory_doctor",
                "acl_whoami",
                "acl_getuser",
                "round_trip",
            }
        ),
    ),
    "shelf": ((Shelf,), frozenset({"all", "get"})),
    "images": ((Images,), frozenset({"find", "list", "architecture", "outdated", "save"})),
    "state": ((ProjectState, HostState, PrivateFolder), frozenset({"load", "read_as", "secrets", "lock"})),
}
WRITES = {
    name: {
        attribute
        for each in classes
        for attribute, value in vars(each).items()
        if not attribute.startswith("_") and (inspect.isfunction(value) or isinstance(value, property))
    }
    - looks
    for name, (classes, looks) in HELD.items()
}
#: Functions that write what commands share.
WRITERS = {"set_values"}
#: Other names for the same things.
SAME = {"host_state": "state", "postgres_app": "postgres", "postgres_monitor": "postgres"}


# The walk


@dataclass
class Function:
    """What a function does outside of any ``with change(…)``: the functions it names, and its writes by line."""

    names: set[str] = field(default_factory=set)
    writes: list[str] = field(default_factory=list)


class Room:
    """The functions of some modules; ``sources`` maps a module's dotted name to its text."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self.functions: dict[str, Function] = {}
        self.methods: dict[str, set[str]] = {}
        self.classes: set[str] = set()
        read = {module: _read(text) for module, text in sources.items()}
        for module, (_, bodies) in read.items():
            for name in bodies:
                self.functions[f"{module}.{name}"] = Function()
                owner, dot, method = name.rpartition(".")
                if dot:
                    self.classes.add(f"{module}.{owner}")
                    self.methods.setdefault(owner if method.startswith("__") else method, set()).add(f"{module}.{name}")
        for module, (imported, bodies) in read.items():
            for name, nodes in bodies.items():
                key = f"{module}.{name}"
                self.functions[key].writes += [f"{key}: {write}" for _, write in nodes if write]
                for node, _ in nodes:
                    self.functions[key].names.update(self.meant(node, module, imported))

    def meant(self, node: ast.AST, module: str, imported: Mapping[str, set[str]]) -> Iterator[str]:
        """The functions that a name or an attribute may stand for; of a method only its name is known."""
        if isinstance(node, ast.Name):
            for full in imported.get(node.id, {f"{module}.{node.id}"}):
                yield full
                yield from self.methods.get(full.rpartition(".")[2], ())
        elif isinstance(node, ast.Attribute):
            if isinstance(node.value, ast.Name) and node.value.id in imported:
                yield from (f"{full}.{node.attr}" for full in imported[node.value.id])
            yield from self.methods.get(node.attr, ())

    def unguarded(self, roots: set[str]) -> list[str]:
        """Every write that is reached from ``roots`` without a boundary in between."""
        seen: set[str] = set()
        waiting = [root for root in roots if root in self.functions]
        while waiting:
            name = waiting.pop()
            if name in self.functions and name not in seen:
                seen.add(name)
                waiting += self.functions[name].names
        return sorted(write for name in seen for write in self.functions[name].writes)


@cache
def _read(text: str) -> tuple[dict[str, set[str]], dict[str, list[tuple[ast.AST, str]]]]:
    """Of a module: its imports, and for each function what it names or writes outside of a boundary."""
    tree = ast.parse(text)
    bodies = {name: [(node, _write(node)) for node in _outside(each.body)] for name, each in _definitions(tree)}
    return _imports(tree), {
        name: [(node, write) for node, write in nodes if write or isinstance(node, ast.Name | ast.Attribute)]
        for name, nodes in bodies.items()
    }


def _definitions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from ((f"{node.name}.{each.name}", each) for each in node.body if isinstance(each, ast.FunctionDef))


def _imports(tree: ast.Module) -> dict[str, set[str]]:
    """Also those within functions: commands import operations when they are called, several under one name."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                found.setdefault(alias.asname or alias.name, set()).add(f"{node.module}.{alias.name}")
    return found


def _outside(body: list[Any]) -> Iterator[ast.AST]:
    """Every node that is not within ``with change(…):``; what opens the boundary is outside."""
    for node in body:
        yield node
        if isinstance(node, ast.With) and any(_is_boundary(item.context_expr) for item in node.items):
            yield from _outside([item.context_expr for item in node.items])
        else:
            yield from _outside(list(ast.iter_child_nodes(node)))


def _is_boundary(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "change"


def _write(node: ast.AST) -> str:
    """Empty when the node is no write. A client under another name would be lost sight of, so that is one as well."""
    if isinstance(node, ast.Name) and node.id in WRITERS:
        return node.id
    if isinstance(node, ast.Attribute):
        holder = ast.unparse(node.value).rpartition(".")[2]
        return ast.unparse(node) if node.attr in WRITES.get(SAME.get(holder, holder), ()) else ""
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Attribute) and node.value.attr in WRITES:
        names = [ast.unparse(target).rpartition(".")[2] for target in node.targets]
        return f"{node.value.attr} becomes {names[0]}" if names != [node.value.attr] else ""
    return ""


def _modules(folder: Path) -> dict[str, str]:
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path.read_text(
            encoding="utf-8"
        )
        for path in sorted(folder.rglob("*.py"))
    }


def _sources() -> dict[str, str]:
    """The operations, and the facts: some of these leave something behind, as a test of the alerts' way does."""
    return _modules(SOURCE / "operations") | _modules(SOURCE / "facts")


def _called_from_elsewhere(room: Room) -> set[str]:
    """What the other rooms name of the operations: functions, and of a class every method."""
    found: set[str] = set()
    for name, text in _modules(SOURCE).items():
        if name.startswith(f"{ROOM}."):
            continue
        tree = ast.parse(text)
        imported = _imports(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                found |= {f"{full}.{node.attr}" for full in imported.get(node.value.id, ())}
        found = found.union(*imported.values())
    own = {each for each in room.functions if each.startswith(f"{ROOM}.")}
    return {each for each in own if each in found or each.rpartition(".")[0] in found & room.classes}


def test_no_operation_writes_outside_the_boundary() -> None:
    room = Room(_sources())
    assert room.unguarded(_called_from_elsewhere(room)) == [], "Put it within `change`, or name above what only looks."


def test_everything_that_operations_hold_is_watched() -> None:
    """A new client is named above, with what of it only looks."""
    held = {name for name, value in vars(Ops).items() if isinstance(value, cached_property)}
    assert held - {"source", "stack", "choice"} == (HELD.keys() | SAME.keys()) - {
        "engine",
        "images",
        "manager",
        "target",
        "host_state",
        "shelf",
    }


def test_the_walk_misses_every_boundary_that_goes_away() -> None:
    """Else it would prove nothing. `monitoring` is made of commands that have boundaries of their own."""
    sources = _sources()
    roots = _called_from_elsewhere(Room(sources))
    for name in sources.keys() - {f"{ROOM}.change", f"{ROOM}.lifecycle.monitoring"}:
        for opening in re.finditer(r"with change\(", sources[name]):
            changed = f"{sources[name][: opening.start()]}with nothing({sources[name][opening.end() :]}"
            assert Room({**sources, name: changed}).unguarded(roots), f"{name}, character {opening.start()}"


def test_no_operation_takes_a_lock_of_its_own() -> None:
    takers = [
        name
        for name, text in _modules(SOURCE / "operations").items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute) and ast.unparse(node).endswith("state.lock")
    ]
    assert takers == [f"{ROOM}.change"]


#: Commands that change something without the project's lease: jobs are put in order by their queue, silences and test
#: alerts are kept by Alertmanager, acknowledgements and keys by the API, images belong to all projects, a halt waits
#: for none.
WITHOUT_LEASE = {
    "alerts ack",
    "alerts silence",
    "alerts test",
    "alerts unsilence",
    "breakers reset",
    "build",
    "data *",
    "data download",
    "data rm",
    "dlq import",
    "dlq purge",
    "dlq quarantine",
    "dlq replay",
    "halt",
    "images build",
    "images load",
    "jobs cancel",
    "jobs prune",
    "jobs recover",
    "jobs submit",
    "keys create",
    "keys revoke",
    "pull",
    "queue *",
    "queue purge",
    "resume",
    "schedules *",
    "schedules remove",
    "strategies check",
    "workers drain",
    "workers resume",
}


def _boundaries() -> Iterator[tuple[str, ast.Call]]:
    """Each boundary in the source, with the words of its command; a star stands for those that are filled in."""
    for text in _modules(SOURCE).values():
        if "with change(" not in text:
            continue
        for call in filter(_is_boundary, ast.walk(ast.parse(text))):
            assert isinstance(call, ast.Call)
            words = call.args[1]
            first = words.values[0] if isinstance(words, ast.JoinedStr) else words
            command = str(first.value) if isinstance(first, ast.Constant) else ""
            yield (f"{command}*" if first is not words else command), call


def test_all_others_hold_the_lease_while_they_change_something() -> None:
    """Two commands at once, each right by itself, leave what neither of them wanted."""
    found = list(_boundaries())
    without = {command for command, call in found if {each.arg for each in call.keywords} & {"lease", None}}
    assert without == WITHOUT_LEASE
    assert {"up", "down", "stop", "start", "restart", "scale", "monitoring reload"} <= {command for command, _ in found}


BASE = "from a.change import change\nfrom a.parts import part, Maker\n"


@pytest.mark.parametrize(
    ("body", "guarded"),
    [
        ("    ops.engine.stop(found, 1)", False),
        ("    with change(ops, 'x'):\n        ops.engine.stop(found, 1)", True),
        ("    part(ops)", False),
        ("    with change(ops, 'x'):\n        part(ops)", True),
        ("    pool.submit(part, ops)", False),
        ("    pool.submit(ops.engine.stop, found)", False),
        ("    def later():\n        ops.redis.desire_workers(3)\n    return later", False),
        ("    Maker(ops).make()", False),
        ("    with change(ops, 'x'):\n        Maker(ops).make()", True),
        ("    client = ops.api\n    client.submit('x', {})", False),
        ("    with change(ops, 'x'):\n        pass\n    ops.api.cancel('1')", False),
        ("    ops.state.store(Scaling())", False),
        ("    return ops.engine.list(), ops.state.load(Scaling), ops.api.jobs(None, None, 1)", True),
    ],
)
def test_the_walk(body: str, guarded: bool) -> None:
    parts = "def part(ops):\n    ops.engine.apply(1)\nclass Maker:\n    def make(self):\n        self.images.build(1)\n"
    room = Room({"a.parts": parts, "a.root": f"{BASE}def root(ops, found):\n{body}\n"})
    assert (room.unguarded({"a.root.root"}) == []) is guarded


# What each change is called, and whether it keeps others out


def _changes() -> Iterator[str]:
    """Each ``change(ops, …)`` of the operations: its module, its words and whether it holds the project's lease."""
    for module, text in _modules(SOURCE / "operations").items():
        for node in ast.walk(ast.parse(text)):
            if not _is_boundary(node) or module == f"{ROOM}.change":
                continue
            assert isinstance(node, ast.Call)
            options = {each.arg: ast.unparse(each.value) for each in node.keywords}
            held = "without the lease" if options.get("lease") == "False" else "with the lease"
            heard = f", heard by {options['on_progress']}" if "on_progress" in options else ""
            words = ", ".join(ast.unparse(each) for each in node.args[1:])
            yield f"{module.removeprefix(f'{ROOM}.')}: {words} {held}{heard}"


def test_which_changes_keep_others_out_and_with_which_words_they_are_logged(snapshot: SnapshotAssertion) -> None:
    """The lease is left out only where no other command can spoil what is done; the words are those typed."""
    assert sorted(_changes()) == snapshot


# While it runs. For what changes replicas, tests/cli/conftest.py watches the engine of every command.


class Watched:
    """A client whose every method, when called, notes whether a change was under way."""

    def __init__(self, ops: Ops, answer: Any) -> None:
        self._ops, self._answer, self.calls = ops, answer, list[tuple[str, bool]]()

    def __getattr__(self, name: str) -> Any:
        def call(*words: Any, **options: Any) -> Any:
            self.calls.append((name, bool(self._ops.changes)))
            return self._answer

        return call


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    settings = load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(tmp_path), "HOME": str(tmp_path)}, ROOT)
    return Ops(settings, StubEngine("demo"))


def test_jobs_are_submitted_and_cancelled_within_a_change(ops: Ops) -> None:
    job_id = str(UUID(int=1))
    job = {"id": job_id, "type": "canary", "state": "queued", "worker": "", "payload": {}}
    api = ops.__dict__["api"] = Watched(ops, job | {"attempt": 1, "max_attempts": 1})
    jobs.submit(ops, "canary", (), wait=False)
    jobs.cancel(ops, job_id)
    assert api.calls == [("submit", True), ("cancel", True)]


def test_silences_are_made_and_ended_within_a_change(ops: Ops) -> None:
    manager = ops.__dict__["alertmanager"] = Watched(ops, [])
    ops.__dict__["prometheus"] = Watched(ops, [])
    silences.silence(ops, ["RedisDown"], "1h", "a test")
    silences.unsilence(ops, "1")
    assert manager.calls == [("silence", True), ("silences", False), ("unsilence", True)]
