"""drift, exec, shell, events, prune, build and pull on a real Docker engine, with a stack of two tiny services."""

import hashlib
import json
import os
import socket
import subprocess
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.engines.docker.parts import PYTHON, REDIS, require_docker
from tests.integration.docker.rig import api, clean, inspected
from tests.integration.terminal import on_terminal
from tests.integration.tradebot import Tradebot
from tests.waiting import free_port
from tradebot_ops.docker.locate import locate

pytestmark = [pytest.mark.integration, pytest.mark.docker, pytest.mark.xdist_group("docker-commands")]

COMPOSE = f"""
services:
  web:
    image: {PYTHON}
    command: [python3, -m, http.server, "8000"]
    init: true
    volumes: ["./pages:/pages:ro"]
    working_dir: /pages
    ports: ["127.0.0.1:${{WEB_PORT}}:8000"]
    stop_grace_period: 2s
    x-tradebot: {{probe: {{protocol: http, port: 8000}}}}
  idle:
    image: ${{IDLE_IMAGE:-{PYTHON}}}
    build: ./idle
    command: [sleep, infinity]
    init: true
    stop_grace_period: 2s
    deploy: {{replicas: 2}}
    x-tradebot: {{scalable: true}}
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tradebot]:
    require_docker(PYTHON)
    folder = tmp_path_factory.mktemp("commands")
    (folder / "pages").mkdir()
    (folder / "pages/index.html").write_text("one")
    (folder / "idle").mkdir()
    image = f"tradebot/test-{uuid.uuid4().hex[:8]}:1"
    (folder / "idle/Dockerfile").write_text(f"FROM {PYTHON}\nLABEL test.image={image}\nCOPY word /word\n")
    (folder / "idle/word").write_text("one")
    (folder / "compose.yaml").write_text(COMPOSE)
    project = Tradebot(folder / "home", "docker", folder, environ={"WEB_PORT": str(free_port()), "IDLE_IMAGE": image})
    try:
        project.ok("up")
        yield project
    finally:
        clean(project)
        with api() as engine:
            for found in engine.images(filters={"label": f"test.image={image}"}):
                engine.remove_image(found["Id"], force=True)


def started(project: Tradebot) -> dict[str, str]:
    """When each replica started: who was touched has another time."""
    return {name: f"{row['id']} {row['started_at']}" for name, row in project.status().items()}


def differences(project: Tradebot) -> list[tuple[str, str]]:
    return [(each["kind"], each["service"]) for each in project.json("drift")["differences"]]


def touched(project: Tradebot, before: dict[str, str]) -> set[str]:
    return {name for name, start in started(project).items() if before.get(name) != start}


def test_up_builds_an_image_that_is_missing(running: Tradebot) -> None:
    assert running.ok("exec", "idle", "--", "cat", "/word") == "one"
    assert differences(running) == []
    assert running.run("plan", "--exit-code").returncode == 0


def test_an_edited_mounted_file_is_drift_and_up_acts_on_it_alone(running: Tradebot) -> None:
    page = running.cwd / "pages/index.html"
    page.write_text("two")
    (found,) = running.json("drift")["differences"]
    assert (found["kind"], found["service"], found["files"]) == ("content", "web", [str(page)])
    assert running.run("drift", "--exit-code").returncode == 10
    before = started(running)
    assert [step["service"] for step in running.json("plan")["changes"]] == ["web"]
    assert touched(running, before) == set()
    running.ok("up")
    assert touched(running, before) == {"web-1"}
    assert differences(running) == []


def test_an_image_older_than_its_source_and_one_that_was_rebuilt(running: Tradebot) -> None:
    (running.cwd / "idle/word").write_text("two")
    assert differences(running) == [("source", "idle")]
    (built,) = running.json("build")["images"]
    assert (built["services"], built["changed"]) == (["idle"], True)
    assert differences(running) == [("image", "idle"), ("image", "idle")]
    before = started(running)
    running.ok("up")
    assert touched(running, before) == {"idle-1", "idle-2"}
    assert running.ok("exec", "idle", "2", "--", "cat", "/word") == "two"
    (running.cwd / "idle/word").write_text("three")
    running.ok("up", "--build")
    assert running.ok("exec", "idle", "--", "cat", "/word") == "three"
    assert differences(running) == []


def test_a_build_that_fails_shows_its_last_lines(running: Tradebot) -> None:
    dockerfile = running.cwd / "idle/Dockerfile"
    good = dockerfile.read_text()
    dockerfile.write_text(f"{good}RUN echo so sorry && exit 3\n")
    try:
        done = running.run("build", "idle", "--no-cache")
        assert done.returncode == 1
        assert "so sorry" in done.stderr
    finally:
        dockerfile.write_text(good)
    assert running.run("build", "web").returncode == 2


def test_pull_leaves_alone_what_is_made_here(running: Tradebot) -> None:
    assert running.json("pull") == {"images": []}


def test_exec_passes_input_output_and_exit_code_on(running: Tradebot) -> None:
    process = subprocess.run(
        running.command("exec", "idle", "--", "sh", "-c", "cat; echo to stderr >&2; exit 7"),
        cwd=running.cwd,
        env=running.environment(),
        input=b"a\x00b" * 100_000,
        capture_output=True,
        timeout=60,
    )
    assert process.returncode == 7
    assert process.stdout == b"a\x00b" * 100_000
    assert process.stderr == b"to stderr\n"
    document = json.loads(running.run("exec", "idle", "--json", "--", "sh", "-c", "echo no; exit 3").stdout)
    assert (document["ok"], document["data"]["exit_code"], document["data"]["output"]) == (False, 3, "no\n")
    assert running.run("exec", "idle", "9", "--", "true").returncode == 2


def test_a_shell_has_a_terminal(running: Tradebot) -> None:
    with on_terminal(running, "shell", "idle", "2") as terminal:
        terminal.shows("# ", "$ ")
        terminal.type("tty; echo host=$(cat /etc/hostname); sleep 60\n")
        terminal.shows("/dev/pts/")
        terminal.shows("host=idle-2")
        terminal.type("\x03")
        terminal.type("exit 4\n")
        assert terminal.process.wait(20) == 4


def test_events_follow_a_rolling_restart(running: Tradebot) -> None:
    before = started(running)
    following = running.start("events", "idle", "-f", "--json", "--since", datetime.now(UTC).isoformat())
    try:
        assert following.stdout is not None
        running.ok("restart", "idle", "--rolling")
        seen = [json.loads(following.stdout.readline()) for _ in range(3)]
        assert {event["service"] for event in seen} == {"idle"}
    finally:
        following.kill()
        following.communicate()
    assert touched(running, before) == {"idle-1", "idle-2"}
    told = [json.loads(line) for line in running.ok("events", "idle", "--json", "--since", "5m").splitlines()]
    restarts = [(event["number"], event["action"]) for event in told if event["action"] in {"die", "start"}][-4:]
    assert restarts == [(1, "die"), (1, "start"), (2, "die"), (2, "start")]


def test_prune_removes_what_is_left_over_and_nothing_else(running: Tradebot) -> None:
    mine = {"com.docker.compose.project": running.project}
    one_off = mine | {"com.docker.compose.oneoff": "True", "com.docker.compose.service": "idle"}
    with api() as engine:
        made = engine.create_container(PYTHON, "true", name=f"{running.project}-run", labels=one_off)
        engine.start(made)
        engine.wait(made, timeout=30)
        engine.create_volume(f"{running.project}_old", labels=mine)
        engine.create_network(f"{running.project}_old", labels=mine)
    before = started(running)
    refused = running.run("prune", "--volumes")
    assert refused.returncode == 9
    assert f"volume {running.project}_old" in refused.stderr
    removed = running.json("prune", "--yes")["removed"]
    assert [(each["kind"], each["name"]) for each in removed] == [
        ("container", f"{running.project}-run"),
        ("network", f"{running.project}_old"),
    ]
    assert [each["kind"] for each in running.json("prune", "--volumes", "--yes")["removed"]] == ["volume"]
    assert running.json("prune", "--volumes", "--yes")["removed"] == []
    assert touched(running, before) == set()


def test_what_compose_would_call_an_orphan_is_named(running: Tradebot) -> None:
    compose = running.cwd / "compose.yaml"
    compose.write_text(COMPOSE.split("  idle:", 1)[0])
    try:
        assert differences(running) == [("orphan", "idle")]
        assert running.run("prune").returncode == 9
    finally:
        compose.write_text(COMPOSE)
    assert inspected(f"{running.project}-idle-1")["State"]["Running"]


@pytest.mark.parametrize("where", ["stopped", "hanging"])
def test_a_docker_that_was_asked_for_and_does_not_answer_is_exit_4(tmp_path: Path, where: str) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "d.sock"))
        if where == "hanging":
            server.listen()
        asked = Tradebot(tmp_path / "home", "docker", environ={"DOCKER_HOST": f"unix://{tmp_path}/d.sock"})
        done = asked.run("status", timeout=20)
    assert done.returncode == 4
    said = "sent nothing for" if where == "hanging" else "No Docker engine answers"
    assert said in done.stderr
    assert "--engine local" in done.stderr or "systemctl restart docker" in done.stderr


def test_host_and_context_name_the_engine(tmp_path: Path) -> None:
    """Both outrank a DOCKER_HOST where nothing answers, and neither is replaced by this host's own processes."""
    require_docker(PYTHON)
    meta = tmp_path / "home/.docker/contexts/meta" / hashlib.sha256(b"here").hexdigest()
    meta.mkdir(parents=True)
    host = locate(os.environ).host
    (meta / "meta.json").write_text(json.dumps({"Name": "here", "Endpoints": {"docker": {"Host": host}}}))
    tradebot = Tradebot(tmp_path / "home", "auto", environ={"DOCKER_HOST": f"unix://{tmp_path}/none.sock"})
    for words in (["--host", host], ["--context", "here"]):
        said = json.loads(tradebot.run("status", "--json", *words).stdout)["data"]["engine"]
        assert said == {"name": "docker", "why": f"chosen with {words[0]}"}
    assert tradebot.run("status", "--context", "nowhere").returncode == 8
    assert json.loads(tradebot.run("status", "--json").stdout)["data"]["engine"]["name"] == "local"


def test_images_are_saved_and_loaded_in_a_file(tmp_path: Path) -> None:
    require_docker(REDIS)
    tradebot = Tradebot(tmp_path / "home", "docker")
    assert REDIS in [each["image"] for each in tradebot.json("images", "list")]
    file = tmp_path / "redis.tar"
    assert tradebot.json("images", "save", str(file), REDIS)["tags"] == [REDIS]
    assert REDIS in tradebot.json("images", "load", str(file))["tags"]
    assert "tradebot/redis:8.0" in (tradebot.state.parent / "images.json").read_text()
