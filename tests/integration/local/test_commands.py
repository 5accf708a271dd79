"""plan, drift, exec, shell, events, prune and rolling restarts on the local engine, with a stack of two services."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.integration.terminal import on_terminal
from tests.integration.tradebot import Tradebot

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("local-commands")]

COMPOSE = """
services:
  reader:
    image: none:1
    command: [sleep, "100000"]
    volumes: ["./conf:/conf:ro", "kept:/kept"]
    stop_grace_period: 2s
  idle:
    image: none:1
    command: [sleep, "100000"]
    environment: {GREETING: hello}
    stop_grace_period: 2s
    deploy: {replicas: 2}
    x-tradebot: {scalable: true}
volumes: {kept: {}}
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tradebot]:
    folder = tmp_path_factory.mktemp("commands")
    (folder / "conf").mkdir()
    (folder / "conf/a.conf").write_text("one")
    (folder / "compose.yaml").write_text(COMPOSE)
    project = Tradebot(folder / "home", "local", folder)
    try:
        project.ok("up")
        yield project
    finally:
        project.clean()


def pids(project: Tradebot) -> dict[str, object]:
    return {name: row["pid"] for name, row in project.status().items()}


def differences(project: Tradebot) -> list[tuple[str, str]]:
    return [(each["kind"], each["service"]) for each in project.json("drift")["differences"]]


def test_an_edited_mounted_file_is_drift_and_up_acts_on_it_alone(running: Tradebot) -> None:
    assert running.run("drift", "--exit-code").returncode == 0
    file = running.cwd / "conf/a.conf"
    file.write_text("two")
    before = pids(running)
    (found,) = running.json("drift")["differences"]
    assert (found["kind"], found["service"], found["files"]) == ("content", "reader", [str(file)])
    assert [step["service"] for step in running.json("plan")["changes"]] == ["reader"]
    assert running.run("up", "--plan", "--exit-code").returncode == 10
    assert pids(running) == before
    running.ok("up")
    after = pids(running)
    assert {name for name in after if after[name] != before[name]} == {"reader-1"}
    assert differences(running) == []


def test_a_rolling_restart_touches_every_replica(running: Tradebot) -> None:
    before, began = pids(running), datetime.now(UTC)
    running.ok("restart", "idle", "--rolling")
    after = pids(running)
    assert {name for name in after if after[name] != before[name]} == {"idle-1", "idle-2"}
    told = [json.loads(line) for line in running.ok("events", "idle", "--json").splitlines()]
    starts = [event for event in told if event["action"] == "start" and datetime.fromisoformat(event["at"]) >= began]
    assert [event["number"] for event in starts] == [1, 2]


def test_exec_runs_beside_the_replica(running: Tradebot) -> None:
    assert running.ok("exec", "idle", "2", "--", "printenv", "GREETING") == "hello\n"
    assert running.run("exec", "idle", "--", "sh", "-c", "exit 7").returncode == 7
    assert running.run("exec", "idle", "--", "sh", "-c", "kill -9 $$").returncode == 137
    assert running.run("exec", "idle", "--", "no-such-program").returncode == 127
    done = running.run("exec", "idle", "--json", "--", "sh", "-c", "echo no; exit 3")
    assert (done.returncode, json.loads(done.stdout)["data"]["output"]) == (3, "no\n")


def test_a_shell_has_the_environment_of_the_service(running: Tradebot) -> None:
    with on_terminal(running, "shell", "idle", SHELL="/bin/sh") as terminal:
        terminal.type("echo said=$GREETING\n")
        terminal.shows("said=hello")
        terminal.type("exit 4\n")
        assert terminal.process.wait(20) == 4


def test_images_are_not_a_thing_here(running: Tradebot) -> None:
    for words in (["build"], ["pull"], ["images", "list"], ["images", "build", "--from", "debian"]):
        done = running.run(*words)
        assert done.returncode == 1, words
        assert "TB-0102: The local engine runs programs of this host, so it has no images." in done.stderr


def test_prune_removes_what_left_the_stack(running: Tradebot) -> None:
    compose = running.cwd / "compose.yaml"
    assert running.json("prune", "--volumes", "--yes")["removed"] == []
    left = COMPOSE.split("  idle:", 1)[0].replace(', "kept:/kept"', "")
    compose.write_text(left)
    try:
        running.ok("up")
        assert running.run("prune", "--volumes").returncode == 9
        removed = running.json("prune", "--volumes", "--yes")["removed"]
        assert [(each["kind"], each["name"]) for each in removed] == [
            ("replica", "idle-1"),
            ("replica", "idle-2"),
            ("volume", "kept"),
        ]
        assert running.states().keys() == {"reader-1"}
    finally:
        compose.write_text(COMPOSE)
    running.ok("up")
    assert differences(running) == []
