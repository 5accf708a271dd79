"""Which engine is chosen, and what is said about it."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tradebot_ops.engines.choose import choose
from tradebot_ops.errors import OpsError
from tradebot_ops.settings import load_settings
from tradebot_ops.state import ProjectState


def chosen(tmp_path: Path, engine: str = "auto", **environ: str) -> tuple[str, str]:
    settings = load_settings({"engine": engine}, {"HOME": str(tmp_path), **environ}, tmp_path)
    found = choose(settings, ProjectState(tmp_path / "state"))
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
    assert "said nothing for 0.2 s" in why


def test_a_named_engine_is_not_second_guessed(tmp_path: Path) -> None:
    host = f"unix://{tmp_path}/none.sock"
    assert chosen(tmp_path, "docker", DOCKER_HOST=host) == ("docker", "chosen with --engine docker")
    assert chosen(tmp_path, "local", DOCKER_HOST=host) == ("local", "chosen with --engine local")


def test_a_remote_engine_that_was_set_on_purpose_is_taken_at_its_word(tmp_path: Path) -> None:
    assert chosen(tmp_path, DOCKER_HOST="ssh://ops@elsewhere") == ("docker", "its daemon answers")


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
