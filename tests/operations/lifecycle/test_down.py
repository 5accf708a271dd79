"""What `down --volumes` may forget: never the secrets of data that lies on another engine."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.paths import ROOT
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Replica, State
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.operations.lifecycle.down import down, stop_levels
from tradebot_ops.progress import Phase, ProgressEvent, ignore_progress
from tradebot_ops.records import UsedEngines
from tradebot_ops.settings import load_settings


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    environ = {"TRADEBOT_STATE": str(tmp_path), "HOME": str(tmp_path)}
    made = Ops(load_settings({"project": "demo"}, environ, ROOT), StubEngine("demo"))
    made.state.secrets.mkdir(parents=True)
    (made.state.secrets / "postgres_password").write_text("x")
    return made


def secrets(ops: Ops) -> list[str]:
    return [each.name for each in ops.state.secrets.iterdir()] if ops.state.secrets.exists() else []


def test_secrets_stay_while_the_project_is_on_another_engine_too(ops: Ops) -> None:
    ops.state.store(UsedEngines(("local", "stub")))
    report = down(ops, ignore_progress, volumes=True)
    assert secrets(ops) == ["postgres_password"]
    assert ops.state.load(UsedEngines).engines == ("local",)
    (warning,) = report.warnings
    assert warning.startswith("The project is on the local engine, too, so that its secrets stay.")
    assert warning.endswith(": tradebot down --volumes --engine local")


@pytest.mark.parametrize("engines", [(), ("stub",)])
def test_all_is_forgotten_with_the_last_engine(ops: Ops, engines: tuple[str, ...]) -> None:
    ops.state.store(UsedEngines(engines))
    assert down(ops, ignore_progress, volumes=True).warnings == ()
    assert secrets(ops) == []


def test_without_volumes_the_project_stays_on_its_engine(ops: Ops) -> None:
    ops.state.store(UsedEngines(("stub",)))
    down(ops, ignore_progress)
    assert (secrets(ops), ops.state.load(UsedEngines).engines) == (["postgres_password"], ("stub",))


# The order


STACK = """
services:
  store: {image: i, command: [run], stop_grace_period: 7s}
  migrate: {image: i, command: [run], depends_on: {store: {condition: service_started}}}
  api: {image: i, command: [run], depends_on: {migrate: {condition: service_completed_successfully}}}
  worker:
    image: i
    command: [run]
    stop_grace_period: 45s
    depends_on: {migrate: {condition: service_completed_successfully}}
  page: {image: i, command: [run], depends_on: [api]}
"""


def replicas(*names: str, state: State = State.RUNNING) -> list[Replica]:
    return [Replica(name, 1, f"{name}-1", f"demo-{name}-1", state) for name in names]


def described(tmp_path: Path, text: str = STACK) -> Ops:
    (tmp_path / "compose.yaml").write_text(text)
    environ = {"TRADEBOT_STATE": str(tmp_path / "state"), "HOME": str(tmp_path)}
    return Ops(load_settings({"project": "demo"}, environ, tmp_path), StubEngine("demo"))


def test_whoever_depends_on_others_stops_before_them_through_those_that_are_over_too(tmp_path: Path) -> None:
    over = replicas("migrate", state=State.EXITED)
    found = [*replicas("store", "api", "worker", "page", "unknown"), *over]
    levels = stop_levels(described(tmp_path), found)
    assert [[each.service for each in level] for level in levels] == [
        ["unknown"],
        ["worker", "page"],
        ["api"],
        ["store"],
    ]
    assert stop_levels(described(tmp_path), over) == []


def test_a_description_that_is_broken_keeps_nobody_from_stopping(tmp_path: Path) -> None:
    found = replicas("store", "api")
    ops = described(tmp_path, "services: {store: {nonsense: 1}}")
    assert stop_levels(ops, found) == [found]
    vars(ops.engine)["list"] = lambda: tuple(found)
    graces: list[float] = []
    vars(ops.engine)["stop"] = lambda _, grace: graces.append(grace)
    down(ops, ignore_progress)
    assert graces == [10.0, 10.0]


def test_each_service_has_its_own_time_and_is_removed_after_its_end(tmp_path: Path) -> None:
    ops = described(tmp_path)
    engine = ops.engine
    assert isinstance(engine, StubEngine)
    engine.prepare(ops.stack, lambda service, line: None)
    for name in ("store", "worker"):
        engine.apply(ops.stack, name, 1)
    graces: dict[str, float] = {}
    stop = engine.stop

    def noted(replica: Replica, grace: float) -> None:
        graces[replica.service] = grace
        stop(replica, grace)

    vars(engine)["stop"] = noted
    engine.recording.clear()
    events: list[ProgressEvent] = []
    report = down(ops, events.append)
    assert graces == {"store": 7.0, "worker": 45.0}
    stops = [each for each in engine.recording if each[0] in {"stop", "destroy"}]
    assert stops == [("stop", "worker-1"), ("stop", "store-1"), ("destroy", "")]
    assert {(event.service, event.phase) for event in events} == {
        (name, phase) for name in ("store", "worker") for phase in (Phase.STOPPING, Phase.REMOVED)
    }
    assert report.data == {"stopped": ["store-1", "worker-1"], "removed": ["demo"], "volumes": False}
    assert report.sections[0].lines == ("Stopped 2 replicas. Data stays; `tradebot up` brings it back.",)


@pytest.mark.parametrize(
    ("running", "volumes", "said"),
    [
        ([], False, "Nothing was running."),
        (["store"], True, "Stopped 1 replica. Data was removed."),
        (["store"], False, "Stopped 1 replica. Data stays; `tradebot up` brings it back."),
    ],
)
def test_what_is_said_of_it(tmp_path: Path, running: list[str], volumes: bool, said: str) -> None:
    ops = described(tmp_path)
    if running:
        ops.engine.prepare(ops.stack, lambda service, line: None)
    for name in running:
        ops.engine.apply(ops.stack, name, 1)
    assert down(ops, ignore_progress, volumes=volumes).sections[0].lines == (said,)


def test_several_stop_at_once_and_never_ten_for_engines_were_seen_to_stand_still_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pools: list[int] = []

    class Pool(ThreadPoolExecutor):
        def __init__(self, max_workers: int) -> None:
            pools.append(max_workers)
            super().__init__(max_workers)

    monkeypatch.setattr("tradebot_ops.operations.lifecycle.down.ThreadPoolExecutor", Pool)
    ops = described(tmp_path)
    ops.engine.prepare(ops.stack, lambda service, line: None)
    for name in ("store", "api"):
        ops.engine.apply(ops.stack, name, 1)
    down(ops, ignore_progress)
    assert not ops.engine.list()
    assert pools
    assert all(4 <= most < 10 for most in pools)
