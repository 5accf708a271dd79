"""optimize: what is shown, what lands in the settings file, and the way back."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.cli.conftest import Run
from tradebot_ops.engines.base import Engine
from tradebot_ops.facts.metrics import usage
from tradebot_ops.facts.metrics.usage import JobMemory, Usage

MB = 1024**2
DAY = 86_400.0
IDLE = Usage(
    DAY,
    DAY,
    busy=0.1,
    waiting=0.0,
    cpu=0.2,
    worker_idle_bytes=80.0 * MB,
    worker_peak_bytes=300.0 * MB,
    redis_peak_bytes=160.0 * MB,
    connections_peak=12,
    hits=0.999,
    blocks=2e6,
    database_bytes=9.0 * MB,
    host_bytes=8192.0 * MB,
    jobs=JobMemory(4, 200.0 * MB),
)
BEFORE = "# ours\nWORKER_REPLICAS=2 # two\nLOG_LEVEL=debug\n"


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> dict[str, Usage]:
    """What the facts say; a test may change it."""
    said = {"usage": IDLE}
    monkeypatch.setattr(usage, "_usage", lambda ops, window: replace(said["usage"], window_s=window))
    return said


@pytest.fixture
def env(run: Run, tmp_path: Path) -> Path:
    """The settings file of a project that is up."""
    compose = tmp_path / "compose.yaml"
    compose.write_text(compose.read_text().replace("replicas: 2", 'replicas: "${WORKER_REPLICAS}"'))
    path = tmp_path / ".env"
    path.write_text(BEFORE)
    assert run("up").exit_code == 0
    return path


def workers(engine: Engine) -> int:
    return sum(replica.service == "worker" for replica in engine.list())


@pytest.mark.parametrize("words", ["--help", "plan", "plan --window 1m", "apply", "revert", "plan --window soon"])
def test_without_prometheus(run: Run, words: str, snapshot: SnapshotAssertion) -> None:
    assert str(run("optimize", *words.split())) == snapshot


@pytest.mark.parametrize("words", ["plan --window 1d", "plan --window 1d --json", "apply --window 1d"])
def test_what_is_shown(run: Run, used: dict[str, Usage], env: Path, words: str, snapshot: SnapshotAssertion) -> None:
    assert str(run("optimize", *words.split())) == snapshot
    assert env.read_text() == BEFORE


def test_too_little_data_is_refused(run: Run, used: dict[str, Usage], env: Path, snapshot: SnapshotAssertion) -> None:
    used["usage"] = replace(IDLE, measured_s=3600.0)
    assert str(run("optimize", "plan")) == snapshot(name="plan")
    assert str(run("optimize", "apply", "--yes")) == snapshot(name="apply")
    assert env.read_text() == BEFORE


def test_there_and_back(
    run: Run, used: dict[str, Usage], env: Path, engine: Engine, snapshot: SnapshotAssertion
) -> None:
    assert str(run("prod-optimize", "--window", "1d", "--yes")) == snapshot(name="apply")
    assert env.read_text() == "# ours\nWORKER_REPLICAS=1\nLOG_LEVEL=debug\nPOSTGRES_SHARED_BUFFERS=128mb\n"
    assert env.stat().st_mode & 0o777 == 0o600
    assert workers(engine) == 1
    assert str(run("optimize", "revert")) == snapshot(name="revert")
    assert env.read_text() == "# ours\nWORKER_REPLICAS=2\nLOG_LEVEL=debug\n"
    assert workers(engine) == 2
    assert "nothing to revert" in run("optimize", "revert").stdout


def test_what_scale_stored_comes_back_too(run: Run, used: dict[str, Usage], env: Path, engine: Engine) -> None:
    run("scale", "workers", "3")
    assert run("optimize", "apply", "--window", "1d", "--yes").exit_code == 0
    assert workers(engine) == 1
    assert "Nothing to change" in run("up").stdout
    assert run("optimize", "revert").exit_code == 0
    assert workers(engine) == 3
    assert "Nothing to change" in run("up").stdout


def test_what_somebody_changed_since_stays(run: Run, used: dict[str, Usage], env: Path, engine: Engine) -> None:
    run("optimize", "apply", "--window", "1d", "--yes")
    env.write_text(env.read_text().replace("WORKER_REPLICAS=1", "WORKER_REPLICAS=4"))
    shown = run("optimize", "revert")
    assert "WORKER_REPLICAS is not what was set" in " ".join((shown.stdout + shown.stderr).split())
    assert env.read_text() == "# ours\nWORKER_REPLICAS=4\nLOG_LEVEL=debug\n"
    run("optimize", "apply", "--window", "1d", "--yes")
    env.write_text(env.read_text().replace("WORKER_REPLICAS=1", "WORKER_REPLICAS=5"))
    assert json.loads(run("optimize", "revert", "--json").stdout)["data"] == {
        "reverted": {"POSTGRES_SHARED_BUFFERS": None},
        "kept": ["WORKER_REPLICAS"],
    }


def test_what_the_environment_sets_is_left_to_it(
    run: Run, used: dict[str, Usage], env: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKER_REPLICAS", "2")
    shown = run("optimize", "apply", "--window", "1d", "--yes")
    assert "WORKER_REPLICAS is set by: environment" in " ".join((shown.stdout + shown.stderr).split())
    assert env.read_text() == BEFORE + "POSTGRES_SHARED_BUFFERS=128mb\n"
    assert workers(engine) == 2
