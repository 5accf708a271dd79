"""scale with its options: what it does, what it only explains, what it remembers."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tradebot_ops.engines.base import Replica
from tradebot_ops.engines.stub import StubEngine

#: A stack whose worker stops within 12 s and gives its job 7.
COMPOSE = """
services:
  store:
    image: store:1
    command: [store]
  worker:
    image: worker:1
    command: [work]
    environment: {WORKER_GRACE_SECONDS: "7"}
    stop_grace_period: 12s
    deploy: {replicas: 3}
    x-tradebot: {scalable: true}
  mill:
    image: mill:1
    command: [mill]
    stop_grace_period: 20s
    deploy: {replicas: 2}
    x-tradebot: {scalable: true}
"""


@pytest.fixture
def graces(run: Run, engine: StubEngine, monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """The stack, up; the dictionary fills with the grace that each stopped replica was given."""
    Path("compose.yaml").write_text(COMPOSE)
    assert run("up").exit_code == 0
    given: dict[str, float] = {}
    stop = engine.stop

    def noted(replica: Replica, grace: float) -> None:
        given[f"{replica.service}-{replica.number}"] = grace
        stop(replica, grace)

    monkeypatch.setattr(engine, "stop", noted)
    return given


def test_without_a_drain_each_service_has_its_own_grace_period(run: Run, graces: dict[str, float]) -> None:
    run("scale", "workers", "2")
    run("scale", "mill", "1")
    assert graces == {"worker-3": 12, "mill-2": 20}


def test_a_worker_that_cannot_be_told_gets_the_longer_of_both(run: Run, graces: dict[str, float]) -> None:
    """There is no Redis here: it hands its job back after its usual time, and must not be killed before."""
    shown = run("scale", "workers", "2", "--drain", "300")
    assert (shown.exit_code, graces) == (0, {"worker-3": 315})
    assert "worker-3 gave its job the usual time, since the wish did not reach it" in shown.stdout
    run("scale", "workers", "1", "--drain", "0")
    assert graces["worker-2"] == 15


def test_the_drain_of_another_service_is_its_grace(run: Run, graces: dict[str, float]) -> None:
    run("scale", "mill", "1", "--drain", "5")
    assert graces == {"mill-2": 5}


def test_down_drains_workers_alone(run: Run, graces: dict[str, float]) -> None:
    assert run("down", "--drain", "60").exit_code == 0
    assert {graces[f"worker-{number}"] for number in (1, 2, 3)} == {75}
    assert (graces["mill-1"], graces["store-1"]) == (20, 10)


@pytest.mark.parametrize("seconds", ["-1", "3601", "long", "1.5"])
def test_a_drain_that_cannot_be_is_a_wrong_word(run: Run, graces: dict[str, float], seconds: str) -> None:
    assert run("scale", "workers", "2", "--drain", seconds).exit_code == 2
    assert graces == {}


def test_explaining_changes_nothing(run: Run, engine: StubEngine, graces: dict[str, float], tmp_path: Path) -> None:
    engine.recording.clear()
    before = {path: path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file()}
    data = json.loads(run("scale", "workers", "1", "--explain", "--json").stdout)["data"]
    assert data["removed"] == [
        {"name": "worker-3", "why": "its heartbeat is unknown"},
        {"name": "worker-2", "why": "its heartbeat is unknown"},
    ]
    assert data["changed"] is False
    more = run("scale", "workers", "5", "--explain").stdout
    assert more == "worker: 3 -> 5. Nothing was changed.\n  would be added worker-4\n  would be added worker-5\n"
    assert (engine.recording, graces) == ([], {})
    assert {path: path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file()} == before


def test_what_is_explained_is_what_is_done(run: Run, graces: dict[str, float]) -> None:
    for count in ("1", "4", "2"):
        explained = json.loads(run("scale", "workers", count, "--explain", "--json").stdout)["data"]
        done = json.loads(run("scale", "workers", count, "--json").stdout)["data"]
        assert explained | {"changed": True} == done


def test_a_number_that_is_not_kept_lasts_until_up(run: Run, graces: dict[str, float]) -> None:
    run("scale", "workers", "2", "--no-persist")
    assert "added worker-3" in run("scale", "workers", "3", "--explain").stdout
    run("up")
    assert "worker: 3 -> 3" in run("scale", "workers", "3", "--explain").stdout


def test_history_tells_who_when_and_from_what_to_what(run: Run, graces: dict[str, float]) -> None:
    assert run("scale", "history").stdout == "Nobody has scaled anything yet.\n"
    run("scale", "workers", "1")
    run("scale", "workers", "4", "--no-persist")
    run("scale", "workers", "9", "--explain")
    rows = json.loads(run("scale", "history", "--json").stdout)["data"]["scalings"]
    assert [(row["service"], row["from"], row["to"], row["kept"]) for row in rows] == [
        ("worker", 3, 1, True),
        ("worker", 1, 4, False),
    ]
    assert {row["at"] for row in rows} == {"2026-11-22T12:00:00+00:00"}
    assert all("@" in row["by"] for row in rows)
    shown = run("scale", "history").stdout
    assert "3 -> 1" in shown
    assert "until `up`" in shown
