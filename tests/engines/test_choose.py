"""Which engine is chosen, and what is said about it."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tradebot_ops.engines.choose import EngineChoice, choose
from tradebot_ops.errors import OpsError
from tradebot_ops.records import UsedEngines
from tradebot_ops.settings import load_settings
from tradebot_ops.state import ProjectState


def opened(tmp_path: Path, flags: dict[str, str], **environ: str) -> EngineChoice:
    settings = load_settings(flags, {"HOME": str(tmp_path), **environ}, tmp_path)
    return choose(settings, ProjectState(tmp_path / "state"))


def chosen(tmp_path: Path, engine: str = "auto", **environ: str) -> tuple[str, str]:
    found = opened(tmp_path, {"engine": engine}, **environ)
    return found.engine.name, found.why


def test_without_a_daemon_the_local_engine_is_taken_and_it_says_why(tmp_path: Path) -> None:
    name, why = chosen(tmp_path, DOCKER_HOST=f"unix://{tmp_path}/none.sock")
    assert name == "local"
    assert why == f"no Docker engine answers at unix://{tmp_path}/none.sock (from DOCKER_HOST)"


def test_a_daemon_that_hangs_does_not_hang_the_choice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tradebot_ops.engines.choose.PING_SECONDS", 0.2)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "hung.sock"))
        server.listen()
        name, why = chosen(tmp_path, DOCKER_HOST=f"unix://{tmp_path}/hung.sock")
    assert name == "local"
    assert "sent nothing for 0.2 s" in why


def test_a_named_engine_is_not_second_guessed(tmp_path: Path) -> None:
    host = f"unix://{tmp_path}/none.sock"
    assert chosen(tmp_path, "docker", DOCKER_HOST=host) == ("docker", "chosen with --engine docker")
    assert chosen(tmp_path, "local", DOCKER_HOST=host) == ("local", "chosen with --engine local")


def test_a_remote_engine_that_was_set_on_purpose_is_taken_at_its_word(tmp_path: Path) -> None:
    assert chosen(tmp_path, DOCKER_HOST="ssh://ops@elsewhere") == ("docker", "its daemon answers")


def test_the_engine_that_the_project_is_on_is_taken_whatever_else_answers(tmp_path: Path) -> None:
    remember(tmp_path, "local", "docker")
    assert chosen(tmp_path, DOCKER_HOST="ssh://ops@elsewhere") == ("local", "the last up was on it")
    assert chosen(tmp_path, "docker", DOCKER_HOST="ssh://ops@elsewhere")[0] == "docker"
    remember(tmp_path, "docker")
    nowhere = f"unix://{tmp_path}/none.sock"
    found = opened(tmp_path, {}, DOCKER_HOST=nowhere)
    with pytest.raises(OpsError, match="No Docker engine answers"):
        found.engine.list()
    assert chosen(tmp_path, "local", DOCKER_HOST=nowhere)[0] == "local"


def remember(tmp_path: Path, *names: str) -> None:
    ProjectState(tmp_path / "state").store(UsedEngines(names))


def test_a_context_that_does_not_exist_is_not_passed_over(tmp_path: Path) -> None:
    name, why = chosen(tmp_path, DOCKER_CONTEXT="nowhere")
    assert name == "local"
    assert "'nowhere' does not exist" in why
    with pytest.raises(OpsError):
        chosen(tmp_path, "docker", DOCKER_CONTEXT="nowhere")


def test_asking_costs_no_sdk(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from tradebot_ops.engines.choose import silence\n"
        f"assert silence({{'DOCKER_HOST': 'unix://{tmp_path}/none.sock'}})\n"
        "assert 'docker' not in sys.modules and 'requests' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_no_module_but_dockers_own_loads_the_sdk() -> None:
    """The layers' linter cannot see whether an import stands inside a function."""
    script = (
        "import importlib, pkgutil, sys, tradebot_ops\n"
        "own = ('tradebot_ops.docker', 'tradebot_ops.engines.docker')\n"
        "names = [each.name for each in pkgutil.walk_packages(tradebot_ops.__path__, 'tradebot_ops.')]\n"
        "for name in names:\n"
        "    if not name.startswith(own) and not name.endswith('__main__'):\n"
        "        importlib.import_module(name)\n"
        "        assert 'docker' not in sys.modules, name\n"
        "assert len(names) > 200\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_an_engine_named_by_an_option_is_not_replaced(tmp_path: Path) -> None:
    nowhere = f"unix://{tmp_path}/none.sock"
    for flags in ({"engine": "docker"}, {"host": nowhere}):
        found = opened(tmp_path, flags, DOCKER_HOST=nowhere)
        assert found.engine.name == "docker"
        with pytest.raises(OpsError, match="No Docker engine answers") as caught:
            found.engine.list()
        assert int(caught.value.exit_code) == 4
    with pytest.raises(OpsError, match="'nowhere' does not exist"):
        opened(tmp_path, {"context": "nowhere"}, DOCKER_HOST=nowhere)


AS_NOBODY = """
import os
from tradebot_ops.engines.docker.engine import DockerEngine
from tradebot_ops.errors import OpsError
if os.geteuid() == 0:
    os.setuid(65534)
try:
    DockerEngine("demo", {{"DOCKER_HOST": "unix://{path}", "HOME": "/none", "TRADEBOT_STATE": "/none"}}).list()
except OpsError as problem:
    print(problem.code, problem.message)
"""


def test_a_forbidden_daemon_is_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        path.chmod(0)
        script = AS_NOBODY.format(path=path)
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30)
    assert done.stdout.startswith("TB-0402 This user may not use the Docker engine"), done.stderr
