"""What is removed of a stack's remains, and what is said of it, on an engine that keeps more than replicas."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.operations.lifecycle.test_scale import Engine, World
from tests.operations.seen import Made, made, whole
from tradebot_ops.engines.base import Leftover, State
from tradebot_ops.operations.lifecycle.prune import leftovers, line, prune, report
from tradebot_ops.progress import Phase, ProgressEvent, ignore_progress
from tradebot_ops.stack.model import Stack

NETWORK = Leftover("network", "demo_old", "is not in the stack any more", "n1")
VOLUME = Leftover("volume", "demo_data", "is not in the stack any more", "v1", 3 * 1024**2)


class Keeping(Engine):
    """Keeps a network and a volume that nothing needs."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[bool, bool]] = []
        self.discarded: list[Leftover] = []

    def leftovers(self, _stack: Stack, *, images: bool, volumes: bool) -> tuple[Leftover, ...]:
        self.asked.append((images, volumes))
        return (NETWORK, *([VOLUME] if volumes else []))

    def discard(self, leftover: Leftover) -> None:
        self.discarded.append(leftover)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """One whose two workers were taken out of the description, the second of them stopped."""
    monkeypatch.setattr("tests.operations.lifecycle.test_scale.Engine", Keeping)
    found = World(tmp_path)
    found.engine.stop(found.engine.list()[-1], 1)
    compose = tmp_path / "compose.yaml"
    before, _, after = compose.read_text().partition("  worker:\n")
    compose.write_text(before + after[after.index("  other:") :])
    found.engine.recording.clear()
    return found


def keeping(world: World) -> Keeping:
    assert isinstance(world.engine, Keeping)
    return world.engine


def test_what_is_left_over(world: World) -> None:
    found = leftovers(world.ops(), images=False, volumes=False)
    assert [line(each) for each in found] == [
        "replica worker-1: its service is not in the stack any more and still runs",
        "replica worker-2: its service is not in the stack any more",
        "network demo_old: is not in the stack any more",
    ]
    assert leftovers(world.ops(), images=True, volumes=True)[-1] == VOLUME
    assert keeping(world).asked == [(False, False), (True, True)]


def test_an_engine_of_processes_leaves_replicas_alone(tmp_path: Path) -> None:
    assert leftovers(World(tmp_path).ops(), images=True, volumes=True) == ()


def test_exactly_that_is_removed(world: World) -> None:
    ops = world.ops()
    found = leftovers(ops, images=False, volumes=True)
    events: list[ProgressEvent] = []
    told = prune(ops, found, events.append)
    assert world.run() == ["other-1", "redis-1"]
    assert [one for one in world.engine.recording if one[0] != "prepare"] == [
        ("stop", "worker-1"),
        ("remove", "worker-1"),
        ("remove", "worker-2"),
    ]
    assert world.engine.graces["worker-1"] == 10.0
    assert keeping(world).discarded == [NETWORK, VOLUME]
    assert [(event.service, event.phase, event.detail) for event in events] == [
        step for each in found for step in ((each.name, Phase.STOPPING, each.why), (each.name, Phase.REMOVED, ""))
    ]
    assert whole(told).splitlines()[2:] == [
        "Removed 4, 3 MB at most.",
        "table",
        "('removed', 'name', 'because')",
        *(repr((each.kind, each.name, each.why)) for each in found),
        *(
            f'data removed: {{"kind": "{each.kind}", "name": "{each.name}", "why": "{each.why}", '
            f'"bytes": {each.size or "null"}}}'
            for each in found
        ),
        "data bytes: 3145728",
    ]


def test_what_went_meanwhile_is_fine(world: World) -> None:
    ops = world.ops()
    found = leftovers(ops, images=False, volumes=False)
    gone = next(each for each in world.engine.list() if each.label == "worker-1")
    world.engine.stop(gone, 1)
    world.engine.remove(gone)
    prune(ops, found, ignore_progress)
    assert world.run() == ["other-1", "redis-1"]
    assert found[0] in keeping(world).discarded, "an engine may know it by another name"


def test_a_replica_that_came_back_by_another_id_stays(world: World) -> None:
    ops = world.ops()
    found = [
        replace(each, id="another") for each in leftovers(ops, images=False, volumes=False) if each.kind == "replica"
    ]
    prune(ops, found, ignore_progress)
    assert [(each.label, each.state) for each in world.engine.list() if each.service == "worker"] == [
        ("worker-1", State.RUNNING),
        ("worker-2", State.EXITED),
    ]


def test_nothing_was_left_over() -> None:
    assert whole(report([])).splitlines()[2:] == ["Nothing is left over.", "data removed: []", "data bytes: 0"]
    assert report([NETWORK]).sections[0].lines == ("Removed 1.",)


def test_the_change_is_named_by_what_it_removes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ops = world.ops()
    assert made(monkeypatch, lambda progress: prune(ops, [NETWORK, VOLUME], progress)) == [
        Made(("prune", "demo_old", "demo_data"))
    ]
