"""plan and drift: they change nothing, name what differs, and `up` acts on exactly that."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tradebot_ops.engines.base import ImageFacts, Replica
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import ImageMissing
from tradebot_ops.stack.model import Stack

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


def test_one_judgement_for_plan_drift_and_up(run: Run, engine: StubEngine, compose: Path) -> None:
    """An image older than its source differs for all three; `up` says what would build it."""
    engine.facts = ImageFacts(outdated=frozenset({"other"}))
    assert data(run, "plan")["outdated"] == ["other"]
    sentence = "Older than its source is the image of other. Build it anew: tradebot -p demo up --build"
    assert sentence in run("plan").stdout
    assert sentence in run("up").stdout
    assert [run(word, "--exit-code").exit_code for word in ("plan", "drift")] == [10, 10]
    engine.facts = ImageFacts()
    assert "Older" not in run("up").stdout
    assert [run(word, "--exit-code").exit_code for word in ("plan", "drift")] == [0, 0]
    compose.write_text(CONFIGURED.split("  worker:", maxsplit=1)[0])
    assert [run(word, "--exit-code").exit_code for word in ("plan", "drift")] == [10, 10]


def test_what_cannot_run_here_is_no_change_for_ever(
    run: Run, engine: StubEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply = engine.apply

    def without_image(stack: Stack, service: str, number: int) -> Replica:
        if service == "extra":
            raise ImageMissing("There is no image of extra.", code="TB-0825", hint="Carry it here.")
        return apply(stack, service, number)

    monkeypatch.setattr(engine, "apply", without_image)
    extra = "  extra: {image: 'extra:1', command: [extra], profiles: [monitoring]}\n"
    Path("compose.yaml").write_text(f"services:\n{extra}  app: {{image: 'app:1', command: [app]}}\n")
    assert [step["service"] for step in data(run, "plan")["changes"]] == ["extra", "app"]
    assert [step["service"] for step in data(run, "up")["changes"]] == ["app"]
    assert data(run, "plan")["unavailable"] == ["extra"]
    assert "Cannot run here: extra. There is no image of extra. " in run("plan").stdout
    assert [run(word, "--exit-code").exit_code for word in ("plan", "drift")] == [0, 0]
    engine.facts = ImageFacts(present=frozenset({"extra", "app"}))  # it was carried here
    assert [step["service"] for step in data(run, "plan")["changes"]] == ["extra"]
    assert [run(word, "--exit-code").exit_code for word in ("plan", "drift")] == [10, 10]


def test_a_changed_key_is_named_with_both_values_and_where_it_comes_from(run: Run, compose: Path) -> None:
    described = CONFIGURED.replace(
        "command: [other]",
        "command: [other, --fast]\n    environment: {LEVEL: '${LOG_LEVEL}', API_TOKEN: '${TOKEN:-abc-123-def}'}",
    )
    compose.write_text(described)
    run("up")
    Path(".env").write_text("LOG_LEVEL=debug\nTOKEN=xyz-456-uvw\n")
    compose.write_text(described.replace("--fast", "--slow").replace("image: other:1", "image: other:2"))
    (step,) = data(run, "plan")["changes"]
    token = {"key": "environment.API_TOKEN", "before": "[REDACTED]", "after": "[REDACTED]"}
    level = {"key": "environment.LEVEL", "before": "info", "after": "debug"}
    assert step["keys"] == [
        {"key": "command", "before": "--fast", "after": "--slow", "origin": "compose.yaml:9"},
        {**token, "origin": "compose.yaml:10, TOKEN from .env"},
        {**level, "origin": "compose.yaml:10, LOG_LEVEL from .env"},
        {"key": "image", "before": "other:1", "after": "other:2", "origin": "compose.yaml:8"},
    ]
    for word in ("plan", "drift"):
        shown = run(word, columns=400).stdout
        assert "command: --fast -> --slow (compose.yaml:9)" in shown
        assert "; 1 more" in shown
        assert "xyz-456" not in shown
    assert data(run, "drift")["differences"][0]["keys"] == step["keys"]
    assert "3 replicas stay as they are." in run("plan").stdout
    assert data(run, "up")["changes"] == [step]
    assert data(run, "plan")["changes"] == []


def test_a_description_that_nobody_noted_changed_without_keys(run: Run, compose: Path, tmp_path: Path) -> None:
    for path in (tmp_path / "state").rglob("descriptions.json"):
        path.unlink()
    compose.write_text(CONFIGURED.replace("other:1", "other:2"))
    (step,) = data(run, "plan")["changes"]
    assert (step["reason"], step["keys"]) == ("its description changed", [])


def test_a_number_that_scale_stored_is_said_to_outrank_and_can_be_forgotten(run: Run, compose: Path) -> None:
    compose.write_text(CONFIGURED.replace("replicas: 2", "replicas: '${WORKER_REPLICAS}'"))
    run("scale", "workers", "4")
    Path(".env").write_text("WORKER_REPLICAS=3\n")
    sentence = (
        "For worker, scale stored 4, which outranks WORKER_REPLICAS=3 (.env). "
        "Forget it: tradebot -p demo scale worker --reset"
    )
    for word in ("plan", "drift", "up"):
        assert sentence in run(word).stdout, word
    assert run("scale", "workers", "3", "--reset").exit_code == 2
    assert data(run, "scale", "workers", "--reset")["replicas"] == 3
    assert "outranks" not in run("plan").stdout
    assert [run(word, "--exit-code").exit_code for word in ("plan", "drift")] == [0, 0]
    assert "No number is stored for worker" in run("scale", "workers", "--reset").stdout


def test_images_that_are_not_there_are_part_of_the_plan(run: Run, engine: StubEngine) -> None:
    engine.facts = ImageFacts(missing=frozenset({"store"}))
    assert data(run, "plan")["first"] == ["pull store:1 for store"]
