"""What `down --volumes` may forget: never the secrets of data that lies on another engine."""

from pathlib import Path

import pytest

from tests.paths import ROOT
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.operations.lifecycle.down import down
from tradebot_ops.progress import ignore_progress
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
