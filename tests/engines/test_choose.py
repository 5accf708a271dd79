"""Which engine is chosen, why, and how fast: a daemon that hangs holds nobody up."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tradebot_ops.engines.choose import Choice, choose
from tradebot_ops.errors import OpsError
from tradebot_ops.settings import load_settings
from tradebot_ops.state import ProjectState


def chosen(folder: Path, environ: dict[str, str], **flags: Any) -> Choice:
    settings = load_settings(flags, {"HOME": str(folder), **environ}, folder)
    return choose(settings, ProjectState(folder / "state"))


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[str]:
    """A daemon that answers pings."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "docker.sock"))
        server.listen()

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(256)
                    connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nOK")

        threading.Thread(target=serve, daemon=True).start()
        yield f"unix://{tmp_path}/docker.sock"
        server.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def hanging(tmp_path: Path) -> Iterator[str]:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "hung.sock"))
        server.listen()
        yield f"unix://{tmp_path}/hung.sock"


def test_docker_is_chosen_when_its_daemon_answers(tmp_path: Path, daemon: str) -> None:
    found = chosen(tmp_path, {"DOCKER_HOST": daemon})
    assert (found.engine.name, found.why) == ("docker", "its daemon answers")


def test_without_a_daemon_it_is_the_local_engine_and_says_why(tmp_path: Path) -> None:
    found = chosen(tmp_path, {"DOCKER_HOST": f"unix://{tmp_path}/none.sock"})
    assert found.engine.name == "local"
    assert found.why == f"no Docker engine answers at unix://{tmp_path}/none.sock (from DOCKER_HOST)"


def test_a_hanging_daemon_holds_nobody_up(tmp_path: Path, hanging: str) -> None:
    began = time.monotonic()
    found = chosen(tmp_path, {"DOCKER_HOST": hanging})
    assert time.monotonic() - began < 2.5
    assert found.engine.name == "local"
    assert "said nothing for 2 s" in found.why


def test_an_engine_named_by_an_option_is_not_replaced(tmp_path: Path) -> None:
    nowhere = f"unix://{tmp_path}/none.sock"
    for flags in ({"engine": "docker"}, {"host": nowhere}):
        found = chosen(tmp_path, {"DOCKER_HOST": nowhere}, **flags)
        assert found.engine.name == "docker"
        with pytest.raises(OpsError, match="No Docker engine answers") as caught:
            found.engine.list()
        assert int(caught.value.exit_code) == 4


def test_a_forbidden_daemon_is_told_apart(tmp_path: Path, hanging: str) -> None:
    Path(hanging.removeprefix("unix://")).chmod(0)
    script = AS_NOBODY.format(host=hanging, home=tmp_path)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30)
    assert done.stdout.startswith("TB-0402 This user may not use the Docker engine"), done.stderr


AS_NOBODY = """
import os
from tradebot_ops.engines.docker.engine import DockerEngine
from tradebot_ops.errors import OpsError
if os.geteuid() == 0:
    os.setuid(65534)
try:
    DockerEngine("demo", {{"DOCKER_HOST": "{host}", "HOME": "{home}", "TRADEBOT_STATE": "/none"}}).list()
except OpsError as problem:
    print(problem.code, problem.message)
"""


def test_a_context_is_followed_although_docker_host_is_set(tmp_path: Path, daemon: str) -> None:
    with pytest.raises(OpsError, match="'nowhere' does not exist"):
        chosen(tmp_path, {"DOCKER_HOST": daemon}, context="nowhere").engine.list()
    with pytest.raises(OpsError, match="both name a Docker engine"):
        chosen(tmp_path, {}, context="x", host=daemon)


def test_choosing_does_not_import_the_sdk() -> None:
    script = "import sys, tradebot_ops.engines.choose; sys.exit('docker' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0
