"""What `up` does around the plan: what it needs first, what it proves afterwards, and what it remembers and says."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.seen import whole
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import ImageFacts
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import ExitCode, ImageMissing, OpsError
from tradebot_ops.model import Report, Section
from tradebot_ops.operations.lifecycle import up as up_module
from tradebot_ops.operations.lifecycle.up import up
from tradebot_ops.progress import Phase, ProgressEvent, ignore_progress
from tradebot_ops.records import Absence, ChosenProfiles, UnavailableServices, UsedEngines, WorkersTold
from tradebot_ops.settings import load_settings

COMPOSE = """
services:
  redis: {image: "redis:1", command: [run]}
  api: {image: "app:1", command: [run], depends_on: [redis]}
  worker: {image: "app:1", command: [run], depends_on: [redis], deploy: {replicas: 2}, x-tradebot: {scalable: true}}
  grafana: {image: "grafana:1", command: [run], profiles: [monitoring]}
"""


class Engine(StubEngine):
    """Cannot run what is ``lacking``."""

    lacking: dict[str, OpsError]

    def apply(self, stack: Any, service: str, number: int) -> Any:
        if service in self.lacking:
            raise self.lacking[service]
        return super().apply(stack, service, number)


class World:
    """What is called around the plan is written down, in order."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.engine = folder, Engine("demo")
        self.engine.lacking = {}
        self.calls: list[Any] = []
        self.supplied = False
        (folder / "compose.yaml").write_text(COMPOSE)
        self.answer("canary.run", lambda *_: SimpleNamespace(sentence="Canary.", data={"id": "1"}))
        self.answer("sample_data.load_once", lambda *_: "Prices.")
        self.answer("certificates.ready", lambda *_: None)
        self.answer("configuration.ensure", lambda *_: None)
        self.answer("check_files", lambda *_: True)
        self.monkeypatch = monkeypatch
        for name, answer in self.answers.items():
            monkeypatch.setattr(f"tradebot_ops.operations.lifecycle.up.{name}", answer)
        monkeypatch.setattr("tradebot_ops.operations.lifecycle.up.images.supply", self.supply)
        monkeypatch.setattr("tradebot_ops.operations.lifecycle.up.status", self.status)

    answers: dict[str, Callable[..., Any]]

    def answer(self, name: str, answer: Callable[..., Any]) -> None:
        def called(*words: Any) -> Any:
            self.calls.append(name)
            return answer(*words)

        self.answers = {**getattr(self, "answers", {}), name: called}

    def supply(self, ops: Ops, wanted: Any, facts: ImageFacts, on_progress: object, *, again: bool) -> bool:
        self.calls.append(("supply", tuple(wanted), again))
        return self.supplied

    def status(self, ops: Ops, wanted: Any) -> Report:
        self.calls.append(("status", tuple(wanted)))
        return Report(data={"services": []}, sections=(Section(lines=("how it is",)),))

    def desire_workers(self, count: int) -> None:
        self.calls.append(("desired", count))

    def ops(self, **flags: Any) -> Ops:
        environ = {"TRADEBOT_STATE": str(self.folder / "state"), "HOME": str(self.folder)}
        made = Ops(load_settings({"project": "demo", "profiles": ["core"], **flags}, environ, self.folder), self.engine)
        vars(made)["redis"] = self
        return made

    def run(self) -> list[str]:
        return [found.label for found in self.engine.list()]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


CORE = ("redis", "api", "worker")


def test_the_whole_of_it(world: World, snapshot: SnapshotAssertion) -> None:
    report = up(world.ops(), [], ignore_progress)
    assert world.run() == ["api-1", "redis-1", "worker-1", "worker-2"]
    assert world.calls == [
        "certificates.ready",
        "configuration.ensure",
        ("supply", CORE, False),
        ("desired", 2),
        "sample_data.load_once",
        "canary.run",
        ("status", CORE),
    ]
    assert whole(report) == snapshot
    ops = world.ops()
    assert ops.state.load(UsedEngines).engines == ("stub",)
    assert ops.state.load(ChosenProfiles).profiles == ()
    assert ops.state.load(WorkersTold).workers == 2
    # All is as described: nothing is published or made again.
    world.calls.clear()
    again = up(world.ops(), [], ignore_progress)
    assert ("desired", 2) not in world.calls
    assert again.sections[0].lines[0] == "Nothing to change: everything runs as described."


def test_what_an_engine_prepares_is_told_as_it_happens(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[ProgressEvent] = []
    prepare = world.engine.prepare

    def telling(stack: Any, say: Callable[[str, str], None]) -> None:
        say("redis", "fetches its program")
        prepare(stack, say)

    monkeypatch.setattr(world.engine, "prepare", telling)
    up(world.ops(), ["redis"], told.append)
    assert told[0] == ProgressEvent("redis", Phase.PREPARING, "fetches its program")


@pytest.mark.parametrize(
    ("services", "options", "run", "proved"),
    [
        (["redis"], {}, ["redis-1"], False),
        (["api"], {}, ["api-1", "redis-1"], False),
        (["api", "worker"], {}, ["api-1", "redis-1", "worker-1", "worker-2"], True),
        (["worker"], {}, ["redis-1", "worker-1", "worker-2"], False),
        (["api"], {"dependencies": False}, ["api-1"], False),
        ([], {"prove": False}, ["api-1", "redis-1", "worker-1", "worker-2"], False),
    ],
)
def test_what_is_started_and_whether_that_can_work(
    world: World, services: list[str], options: dict[str, bool], run: list[str], proved: bool
) -> None:
    report = up(world.ops(), services, ignore_progress, **options)
    assert world.run() == run
    assert [call for call in world.calls if call in {"sample_data.load_once", "canary.run"}] == (
        ["sample_data.load_once", "canary.run"] if proved else []
    )
    assert isinstance(report.data, dict)
    assert report.data["canary"] == ({"id": "1"} if proved else None)


def test_without_a_worker_nothing_is_proved(world: World) -> None:
    (world.folder / "compose.yaml").write_text(COMPOSE.replace("replicas: 2", "replicas: 0"))
    up(world.ops(), [], ignore_progress)
    assert "canary.run" not in world.calls


def test_images_are_built_again_where_that_was_asked_for_and_looked_at_again(world: World) -> None:
    looked: list[int] = []
    facts = world.engine.image_facts

    def image_facts(stack: Any) -> ImageFacts:
        looked.append(1)
        return facts(stack)

    world.monkeypatch.setattr(world.engine, "image_facts", image_facts)
    up(world.ops(), ["redis"], ignore_progress)
    assert len(looked) == 1
    world.supplied = True
    up(world.ops(), ["redis"], ignore_progress, build=True)
    assert ("supply", ("redis",), True) in world.calls
    assert len(looked) == 3


def test_orphans_go_only_where_that_was_asked_for(world: World) -> None:
    up(world.ops(), [], ignore_progress)
    (world.folder / "compose.yaml").write_text(COMPOSE.replace("  grafana:", "  board:").replace("  api:", "  web:"))
    up(world.ops(), [], ignore_progress)
    assert "api-1" in world.run()
    up(world.ops(), [], ignore_progress, remove_orphans=True)
    assert "api-1" not in world.run()


MISSING = ImageMissing("There is no image grafana:1.", code="TB-0824", hint="Fetch it.")


def test_what_cannot_run_here_is_a_warning_once_and_remembered(world: World) -> None:
    world.engine.lacking = {"grafana": MISSING}
    first = up(world.ops(profiles=["monitoring"]), [], ignore_progress)
    (finding,) = first.findings
    assert (str(finding.level), finding.id) == ("warn", "status.unavailable")
    assert finding.message == "grafana is unavailable: There is no image grafana:1."
    assert finding.hint.startswith("The same panels: tradebot dash")
    known = world.ops().state.load(UnavailableServices).services
    assert known == {"grafana": Absence("There is no image grafana:1.", finding.hint)}
    assert world.ops().state.load(ChosenProfiles).profiles == ("monitoring",)
    assert up(world.ops(profiles=["monitoring"]), [], ignore_progress).findings == ()
    # Of a service that was not asked for now, what was known stays.
    up(world.ops(profiles=["monitoring"]), ["redis"], ignore_progress)
    assert set(world.ops().state.load(UnavailableServices).services) == {"grafana"}
    world.engine.lacking = {"grafana": replace_message(MISSING, "It is broken.")}
    assert len(up(world.ops(profiles=["monitoring"]), [], ignore_progress).findings) == 1
    world.engine.lacking = {}
    up(world.ops(profiles=["monitoring"]), [], ignore_progress)
    assert world.ops().state.load(UnavailableServices).services == {}


def replace_message(error: ImageMissing, message: str) -> ImageMissing:
    return ImageMissing(message, code=error.code, hint=error.hint)


def test_what_fails_in_a_profile_fails_the_command_and_the_core_runs(world: World, snapshot: SnapshotAssertion) -> None:
    world.engine.lacking = {"grafana": OpsError("It broke.", code="TB-0106", hint="Look.", detail=("a", "b"))}
    report = up(world.ops(profiles=["monitoring"]), [], ignore_progress)
    assert world.run() == ["api-1", "redis-1", "worker-1", "worker-2"]
    assert report.exit_code == ExitCode.FAILED
    assert whole(report) == snapshot


RELOADED = (
    COMPOSE
    + """
  prometheus:
    image: "p:1"
    command: [run]
    volumes: ["./conf:/conf:ro"]
    x-tradebot: {reload: SIGHUP}
"""
)


@pytest.mark.parametrize("name", ["prometheus", "elsewhere"])
def test_what_is_reloaded_by_the_monitoring_is_checked_before(world: World, name: str) -> None:
    (world.folder / "conf").mkdir()
    (world.folder / "conf" / "a.yml").write_text("a")
    (world.folder / "compose.yaml").write_text(RELOADED.replace("prometheus", name))
    up(world.ops(), [], ignore_progress)
    assert "check_files" not in world.calls, "what starts reads it anyway"
    (world.folder / "conf" / "a.yml").write_text("b")
    applied = list(world.engine.recording)

    def refuse(*_: object) -> bool:
        world.calls.append("check_files")
        assert world.engine.recording == [*applied, ("prepare", "demo")], "it was reloaded before"
        raise OpsError("A rule is wrong.", code="TB-0860")

    world.monkeypatch.setattr(up_module, "check_files", refuse)
    if name == "elsewhere":
        up(world.ops(), [], ignore_progress)
        assert "check_files" not in world.calls
        return
    with pytest.raises(OpsError, match="A rule is wrong"):
        up(world.ops(), [], ignore_progress)


def test_whoever_looks_on_hears_of_prices_and_of_the_canary(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Any] = []
    for name, answer in (
        ("sample_data.load_once", "Prices."),
        ("canary.run", SimpleNamespace(sentence="Canary.", data={"id": "1"})),
    ):

        def told(_: object, progress: Callable[[Any], None], *more: object, answer: Any = answer) -> Any:
            progress(answer)
            return answer

        monkeypatch.setattr(f"tradebot_ops.operations.lifecycle.up.{name}", told)
    up(world.ops(), [], heard.append)
    assert [getattr(each, "sentence", each) for each in heard if not isinstance(each, ProgressEvent)] == [
        "Prices.", "Canary.",
    ]  # fmt: skip
