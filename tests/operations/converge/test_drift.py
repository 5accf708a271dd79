"""Which of the hashes, or what else, is behind a step; and all that `plan` and `drift` say of a world that differs."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.seen import whole
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import ImageFacts, Replica, State
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.operations.converge import changed_keys, mounted_files
from tradebot_ops.operations.converge.drift import drift, kind_of
from tradebot_ops.operations.converge.judgement import Judgement
from tradebot_ops.operations.converge.plan import plan, summary
from tradebot_ops.records import Absence, DesiredReplicas, UnavailableServices
from tradebot_ops.settings import load_settings
from tradebot_ops.stack.plan import Action, Plan, Step

COMPOSE = """
services:
  app: {image: "app:1", build: ., command: [run], deploy: {replicas: 2}, x-tradebot: {scalable: true}}
  store: {image: "store:1", command: [run], volumes: ["./conf:/conf:ro"], secrets: [word]}
  shown: {image: "shown:1", command: [run], profiles: [extra]}
secrets:
  word: {file: ./word}
"""


class World:
    """A folder with a description, and an engine on which the last command left what it made."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.engine = folder, StubEngine("demo")
        self.write(COMPOSE)
        (folder / "conf").mkdir()
        (folder / "conf" / "a.yml").write_text("a")
        (folder / "word").write_text("w")

    def write(self, text: str) -> None:
        (self.folder / "compose.yaml").write_text(text)

    def ops(self, **flags: Any) -> Ops:
        environ = {"TRADEBOT_STATE": str(self.folder / "state"), "HOME": str(self.folder)}
        return Ops(load_settings({"project": "demo", **flags}, environ, self.folder), self.engine)

    def started(self) -> None:
        ops = self.ops()
        self.engine.prepare(ops.stack, lambda service, line: None)
        for name, number in (("app", 1), ("app", 2), ("store", 1)):
            self.engine.apply(ops.stack, name, number)

    def said(self, text: str) -> str:
        return text.replace(str(self.folder), "/folder")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.mark.parametrize(
    ("action", "found", "facts", "kind"),
    [
        (Action.CREATE, None, {}, "missing"),
        (Action.RECREATE, None, {}, "missing"),
        (Action.CREATE, {}, {}, "missing"),
        (Action.REMOVE, {}, {}, "extra"),
        (Action.RECREATE, {"spec_hash": ""}, {}, "foreign"),
        (Action.RECREATE, {"spec_hash": "other"}, {"rebuilt": {"store"}}, "description"),
        (Action.RECREATE, {}, {"rebuilt": {"store"}, "edited": {"store"}}, "image"),
        (Action.RECREATE, {}, {"rebuilt": {"app"}}, "state"),
        (Action.RESTART, {}, {"edited": {"store"}, "detached": {("store", 1)}}, "source"),
        (Action.RECREATE, {}, {"detached": {("store", 1)}}, "network"),
        (Action.RECREATE, {}, {"detached": {("store", 2)}}, "state"),
        (Action.START, {}, {"detached": {("store", 1)}}, "state"),
        (Action.RELOAD, {"content_hash": "other"}, {}, "content"),
        (Action.RECREATE, {"content_hash": "other"}, {"detached": {("store", 1)}}, "network"),
        (Action.START, {"content_hash": ""}, {}, "state"),
    ],
)
def test_what_is_behind_a_step(
    world: World, action: Action, found: dict[str, Any] | None, facts: dict[str, Any], kind: str
) -> None:
    ops = world.ops()
    service = ops.stack.services["store"]
    usual = Replica(
        "store", 1, "id", "demo-store-1", State.RUNNING, spec_hash=service.spec_hash, content_hash=service.content_hash
    )
    replica = None if found is None else replace(usual, **found)
    assert kind_of(ops, Step(action, "store", 1, "why"), replica, ImageFacts(**facts)) == kind


def test_nothing_runs_yet(world: World, snapshot: SnapshotAssertion) -> None:
    (world.folder / "word").unlink()
    world.engine.facts = ImageFacts(missing=frozenset({"app", "store"}))
    assert world.said(whole(plan(world.ops(), exit_code=True))) == snapshot
    assert world.said(whole(plan(world.ops(), ["app"]))) == snapshot
    assert world.said(whole(drift(world.ops(), exit_code=True))) == snapshot


def test_nothing_differs(world: World, snapshot: SnapshotAssertion) -> None:
    world.started()
    assert whole(plan(world.ops(), exit_code=True)) == snapshot
    assert whole(drift(world.ops(), exit_code=True)) == snapshot


def test_much_differs(world: World, snapshot: SnapshotAssertion) -> None:
    """Another command, an edited file, a replica too many, an orphan, an image that is older than its source, and a
    service that cannot run here."""
    world.started()
    world.write(COMPOSE.replace("  shown:", "  gone: {image: g, command: [run]}\n  shown:"))
    world.engine.apply(world.ops().stack, "gone", 1)
    world.write(
        COMPOSE.replace('"app:1", build: ., command: [run], deploy: {replicas: 2}', '"app:1", build: ., command: [go]')
    )
    (world.folder / "conf" / "a.yml").write_text("b")
    world.engine.facts = ImageFacts(outdated=frozenset({"app"}))
    ops = world.ops(profiles=["extra"])
    ops.state.store(UnavailableServices({"shown": Absence("No image.", "Bring one.")}))
    ops = world.ops(profiles=["extra"])
    assert world.said(whole(plan(ops))) == snapshot
    assert world.said(whole(plan(ops, ["store"], remove_orphans=True, exit_code=True))) == snapshot
    assert world.said(whole(drift(ops))) == snapshot
    assert drift(ops, exit_code=True).exit_code == 10


def test_an_orphan_alone_is_a_difference_and_up_would_leave_it(world: World, snapshot: SnapshotAssertion) -> None:
    world.started()
    world.write(COMPOSE.replace("  app:", "  renamed:"))
    left = [found for found in world.engine.list() if found.service == "app"]
    assert len(left) == 2
    world.engine.apply(world.ops().stack, "renamed", 1)
    world.engine.apply(world.ops().stack, "renamed", 2)
    assert whole(plan(world.ops(), exit_code=True)) == snapshot
    assert whole(plan(world.ops(), remove_orphans=True)) == snapshot
    assert whole(drift(world.ops(), exit_code=True)) == snapshot


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"rebuilt": frozenset({"store"})}, ("image", "recreate")),
        ({"edited": frozenset({"store"})}, ("source", "recreate")),
        ({"detached": {("store", 1): "net"}}, ("network", "recreate")),
        ({"replaced": frozenset({("store", 1)})}, ("content", "restart")),
        ({"missing": frozenset({"store"})}, None),
    ],
)
def test_what_the_engine_knows_reaches_both(
    world: World, facts: dict[str, Any], expected: tuple[str, str] | None
) -> None:
    world.write(COMPOSE.replace("secrets: [word]}", "secrets: [word], x-tradebot: {reload: SIGHUP}}"))
    world.started()
    if "replaced" in facts:  # a reload would do, if it could see the new file
        (world.folder / "conf" / "a.yml").write_text("b")
    world.engine.facts = ImageFacts(**facts)
    found = drift(world.ops()).data
    planned = plan(world.ops(), ["store"]).data
    assert isinstance(found, dict)
    assert isinstance(planned, dict)
    kinds = [(each["service"], each["kind"]) for each in found["differences"]]
    actions = [(each["service"], each["action"]) for each in planned["changes"]]
    assert (kinds, actions) == (([], []) if expected is None else ([("store", expected[0])], [("store", expected[1])]))


def test_what_is_remembered_says_which_key_and_which_file(world: World, snapshot: SnapshotAssertion) -> None:
    world.started()
    ops = world.ops()
    mounted_files.remember(ops, list(ops.stack.services))
    changed_keys.remember(ops, list(ops.stack.services))
    (world.folder / "conf" / "a.yml").write_text("b")
    world.write(COMPOSE.replace("deploy: {replicas: 2}", "environment: {A: one}, deploy: {replicas: 2}"))
    assert world.said(whole(plan(world.ops()))) == snapshot
    assert world.said(whole(drift(world.ops()))) == snapshot
    world.write(COMPOSE.replace("app:1", "app:2").replace("command: [run], volumes", "command: [go], volumes"))
    assert world.said(whole(drift(world.ops()))) == snapshot


def test_a_number_that_was_stored_is_said_to_outrank_the_files(world: World) -> None:
    world.started()
    ops = world.ops()
    ops.state.store(DesiredReplicas({"app": 1}))
    for report in (plan(world.ops()), drift(world.ops())):
        assert report.sections[0].lines[-1] == (
            "For app, scale stored 1, which outranks the 2 of the description. Forget it: tradebot scale app --reset"
        )


@pytest.mark.parametrize(
    ("gone", "line"),
    [(("app-1", "app-2"), "1 replica stays as it is."), (("app-1",), "2 replicas stay as they are."), ((), None)],
)
def test_what_stays_is_counted_where_something_changes(world: World, gone: tuple[str, ...], line: str | None) -> None:
    world.started()
    for replica in world.engine.list():
        if replica.label in gone:
            world.engine.stop(replica, 0)
            world.engine.remove(replica)
    lines = plan(world.ops()).sections[0].lines
    assert [each for each in lines if "stay" in each] == ([line] if line else [])


def test_the_engine_is_asked_of_the_stack_that_is_described(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def image_facts(stack: object) -> ImageFacts:
        asked.append(stack)
        return ImageFacts()

    monkeypatch.setattr(world.engine, "image_facts", image_facts)
    ops = world.ops()
    drift(ops)
    assert asked == [ops.stack]


@pytest.mark.parametrize("action", Action)
def test_of_what_cannot_run_here_its_creation_alone_is_no_change(action: Action) -> None:
    """Else this host would differ for ever; what is there of it is still changed."""
    step = Step(action, "shown", 1, "because")
    changes = () if action is Action.NOTHING else (step,)
    plain = Judgement(Plan(((step,),)), ImageFacts(), ("shown",))
    assert plain.changes == changes
    absent = replace(plain, unavailable={"shown": Absence("No image.", "")})
    assert absent.changes == (() if action is Action.CREATE else changes)
    assert absent.differs is bool(absent.changes)
    assert replace(absent, plan=Plan(((step,),), orphans=("old",))).differs


def test_steps_are_counted_by_what_they_do_in_order() -> None:
    steps = [Step(Action(each), "app", 1, "") for each in ("start", "create", "recreate", "create")]
    assert summary(steps) == "To do: 2 create, 1 recreate, 1 start."
    assert summary(steps[:1], "Changed") == "Changed: 1 start."
    assert summary([]) == "Nothing to change: everything runs as described."
