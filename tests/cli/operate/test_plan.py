"""plan and drift: they change nothing, name what differs, and `up` acts on exactly that."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tradebot_ops.engines.base import ImageFacts
from tradebot_ops.engines.stub import StubEngine

CONFIGURED = """
services:
  store:
    image: store:1
    command: [store]
    volumes: ["./conf:/conf:ro"]
  other:
    image: other:1
    command: [other]
  worker:
    image: worker:1
    command: [work]
    deploy: {replicas: 2}
    x-tradebot: {scalable: true}
"""


def data(run: Run, *words: str) -> dict[str, Any]:
    shown = run(*words, "--json")
    return dict(json.loads(shown.stdout)["data"])


def differences(run: Run) -> list[tuple[str, str, int | None]]:
    return [(each["kind"], each["service"], each["number"]) for each in data(run, "drift")["differences"]]


@pytest.fixture
def compose(run: Run) -> Path:
    """A stack with a mounted folder, up."""
    Path("conf").mkdir()
    Path("conf/a.conf").write_text("a")
    Path("conf/b.conf").write_text("b")
    file = Path("compose.yaml")
    file.write_text(CONFIGURED)
    assert run("up").exit_code == 0
    return file


@pytest.mark.parametrize("words", [["plan"], ["up", "--plan"], ["drift"], ["plan", "--remove-orphans"]])
def test_looking_writes_nothing(run: Run, engine: StubEngine, tmp_path: Path, words: list[str]) -> None:
    assert run(*words).exit_code == 0
    assert engine.recording == []
    assert not (tmp_path / "state").exists()
    run("up")
    engine.recording.clear()
    Path("compose.yaml").write_text(Path("compose.yaml").read_text().replace("store:1", "store:2"))
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "state").rglob("*")}
    assert run(*words).exit_code == 0
    assert engine.recording == []
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "state").rglob("*")} == before


def test_up_does_what_plan_showed(run: Run) -> None:
    planned = data(run, "plan")["changes"]
    assert [step["service"] for step in planned] == ["store", "setup", "worker", "worker"]
    assert data(run, "up")["changes"] == planned
    assert data(run, "plan")["changes"] == []


def test_exit_code_10_means_changes(run: Run, compose: Path) -> None:
    assert [run(word, "--exit-code").exit_code for word in ("plan", "drift")] == [0, 0]
    compose.write_text(CONFIGURED.replace("store:1", "store:2"))
    assert [run(word).exit_code for word in ("plan", "drift")] == [0, 0]
    assert [run(word, "--exit-code").exit_code for word in ("plan", "drift")] == [10, 10]
    assert run("up", "--plan", "--exit-code").exit_code == 10


def test_an_edited_mounted_file_is_named_and_up_acts_on_it_alone(run: Run, engine: StubEngine, compose: Path) -> None:
    Path("conf/b.conf").write_text("edited")
    Path("conf/c.conf").write_text("new")
    Path("conf/a.conf").unlink()
    (found,) = data(run, "drift")["differences"]
    assert (found["kind"], found["service"], found["remedy"]) == ("content", "store", "tradebot -p demo up")
    assert found["files"] == ["<here>/conf/a.conf (removed)", "<here>/conf/b.conf", "<here>/conf/c.conf (added)"]
    assert "conf/b.conf" in run("drift").stdout
    engine.recording.clear()
    assert [step["service"] for step in data(run, "up")["changes"]] == ["store"]
    assert {subject for verb, subject in engine.recording if verb != "prepare"} == {"store-1"}
    assert differences(run) == []


def test_a_changed_description_and_a_stranger_are_told_apart(run: Run, compose: Path) -> None:
    compose.write_text(CONFIGURED.replace("other:1", "other:2").split("  worker:")[0])
    assert differences(run) == [("description", "other", 1), ("orphan", "worker", None)]
    assert "tradebot -p demo up --remove-orphans" in run("plan").stdout
    run("up", "--remove-orphans")
    assert differences(run) == []


def test_missing_extra_and_stopped_replicas(run: Run, engine: StubEngine, compose: Path) -> None:
    worker = next(found for found in engine.list() if found.service == "worker")
    engine.stop(worker, 1)
    engine.remove(worker)
    engine.crash("store", 1, for_good=True)
    assert differences(run) == [("state", "store", 1), ("missing", "worker", 1)]
    run("up")
    compose.write_text(CONFIGURED.replace("replicas: 2", "replicas: 1"))
    assert differences(run) == [("extra", "worker", 2)]


def test_images_that_were_rebuilt_or_are_older_than_their_source(run: Run, engine: StubEngine, compose: Path) -> None:
    engine.facts = ImageFacts(rebuilt=frozenset({"worker"}), outdated=frozenset({"other"}))
    assert differences(run) == [("image", "worker", 1), ("image", "worker", 2), ("source", "other", None)]
    assert "tradebot -p demo up --build" in run("drift").stdout
    engine.recording.clear()
    run("up")
    assert {subject for verb, subject in engine.recording if verb == "apply"} == {"worker-1", "worker-2"}


def test_images_that_are_not_there_are_part_of_the_plan(run: Run, engine: StubEngine) -> None:
    engine.facts = ImageFacts(missing=frozenset({"store"}))
    assert data(run, "plan")["first"] == ["pull store:1 for store"]
