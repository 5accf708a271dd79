"""What replicas stand on changes under them on a real engine: a network is removed, a mounted file is replaced."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines.docker.parts import PYTHON, require_docker
from tests.integration.docker.rig import api, clean
from tests.integration.tradebot import Tradebot
from tests.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.docker]

#: Says at each SIGHUP what stands in the two files.
READER = """
import signal, time
def read(*_):
    print(open("/one").read(), open("/conf").read(), flush=True)
signal.signal(signal.SIGHUP, read)
read()
while True:
    time.sleep(1)
"""
COMPOSE = f"""
services:
  reader:
    image: {PYTHON}
    command: [python3, /program.py]
    init: true
    volumes: ["./program.py:/program.py:ro", "./one:/one:ro"]
    configs: [conf]
    stop_grace_period: 1s
    x-tradebot: {{reload: SIGHUP}}
configs: {{conf: {{file: ./two}}}}
"""


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Tradebot]:
    require_docker(PYTHON)
    for name, text in {"program.py": READER, "one": "1", "two": "2", "compose.yaml": COMPOSE}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    project = Tradebot(tmp_path / "home", "docker", tmp_path)
    try:
        project.ok("up")
        yield project
    finally:
        clean(project)


def changes(running: Tradebot) -> list[tuple[str, str]]:
    return [(each["action"], each["reason"]) for each in running.json("plan")["changes"]]


def test_a_network_that_was_removed_meanwhile(running: Tradebot) -> None:
    network = f"{running.project}_default"
    running.ok("stop")
    with api() as engine:
        engine.remove_network(network)
    away = ("recreate", f"is not on the network {network}")
    assert changes(running) == [away]
    assert [each["kind"] for each in running.json("drift")["differences"]] == ["network"]
    running.ok("up")
    assert running.states() == {"reader-1": "running"}
    assert changes(running) == []
    running.ok("stop")
    with api() as engine:
        engine.remove_network(network)
    running.ok("start")
    assert running.states() == {"reader-1": "running"}
    with api() as engine:
        (container,) = engine.containers(filters={"label": f"com.docker.compose.project={running.project}"})
        engine.disconnect_container_from_network(container["Id"], network)
    assert changes(running) == [away]
    running.ok("up")
    assert changes(running) == []


@pytest.mark.parametrize("name", ["one", "two"])
def test_a_mounted_file_that_an_editor_replaced(running: Tradebot, name: str) -> None:
    (running.cwd / name).write_text("0", encoding="utf-8")  # in place: the container sees it
    assert [action for action, _ in changes(running)] == ["reload"]
    running.ok("up")
    (running.cwd / "new").write_text("9", encoding="utf-8")
    (running.cwd / "new").replace(running.cwd / name)
    assert [action for action, _ in changes(running)] == ["restart"]
    assert json.loads(running.run("drift", "--json").stdout)["data"]["differences"][0]["kind"] == "content"
    running.ok("up")
    expected = "9 2" if name == "one" else "1 9"
    until(lambda: expected in running.ok("logs", "reader", "--raw"), f"{expected!r} in the log")
    assert changes(running) == []
